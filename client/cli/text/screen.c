/* Sizes of the terminal, and of text on it (screen.h). */
#include "cli/text/screen.h"

#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/text/plain.h"

struct winsize screen_size(void)
{
	struct winsize size = {0};

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	if (!size.ws_row)
		size.ws_row = 24;
	if (!size.ws_col)
		size.ws_col = 80;
	return size;
}

/* The bytes and columns of the next character. What cannot be shown counts as one byte and one column. */
static size_t next_character(const char *at, size_t left, int *width)
{
	mbstate_t state = {0};
	wchar_t character;
	size_t bytes;

	if (*at == OWN_ESCAPE[0]) {
		*width = 0;
		bytes = strcspn(at, "m") + 1;
		return bytes < left ? bytes : left;
	}
	bytes = mbrtowc(&character, at, left, &state);
	*width = bytes - 1 < left ? wcwidth(character) : -1;
	if (*width >= 0)
		return bytes;
	*width = 1;
	return 1;
}

size_t screen_cut(const char *line, size_t len, int columns)
{
	size_t at = 0;

	while (at < len) {
		int width;
		size_t bytes = next_character(line + at, len - at, &width);

		if (width > columns)
			break;
		columns -= width;
		at += bytes;
	}
	return at;
}

size_t screen_width(const char *text)
{
	size_t len = strlen(text), sum = 0;

	for (size_t at = 0; at < len;) {
		int width;

		at += next_character(text + at, len - at, &width);
		sum += (size_t)width;
	}
	return sum;
}
