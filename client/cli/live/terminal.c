/* The screen of a live view (terminal.h). */
#include "cli/live/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/text/plain.h"
#include "cli/text/screen.h"

static struct termios found;
static bool taken;

bool terminal_is_there(void)
{
	return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
}

void terminal_back(void)
{
	static const char back[] = "\033[?25h\033[?1049l";

	if (!taken)
		return;
	taken = false;
	if (write(STDOUT_FILENO, back, sizeof(back) - 1) < 0)
		return;
	tcsetattr(STDIN_FILENO, TCSANOW, &found);
}

/* Ctrl-Z would leave the shell with a terminal that cannot be typed into. */
void terminal_take(void)
{
	static const char take[] = "\033[?1049h\033[?25l";
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &found) != 0)
		return;
	raw = found;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	signal(SIGTSTP, SIG_IGN);
	atexit(terminal_back);
	taken = true;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	if (write(STDOUT_FILENO, take, sizeof(take) - 1) < 0)
		terminal_back();
}

bool terminal_asked_to_quit(int wait_ms)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char key;

	for (; poll(&input, 1, wait_ms) > 0; wait_ms = 0) {
		ssize_t n = read(STDIN_FILENO, &key, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1 || key == 'q' || key == 'Q')
			return true;
	}
	return false;
}

/* The last row stays empty: a line end on it would scroll. */
int terminal_rows(void)
{
	return screen_size().ws_row - 1;
}

/* Resets the colour at the end of each line, which may have been cut. */
void terminal_put_screen(struct buf *out)
{
	struct winsize size = screen_size();
	struct buf cut = {0};
	const char *line = buf_str(out);

	buf_put_str(&cut, OWN_ESCAPE "[H");
	for (int row = 0; row + 1 < size.ws_row && *line; row++) {
		size_t len = strcspn(line, "\n");

		buf_put(&cut, line, screen_cut(line, len, size.ws_col));
		buf_put_str(&cut, OWN_ESCAPE "[0m" OWN_ESCAPE "[K\n");
		line += len + (line[len] == '\n');
	}
	buf_put_str(&cut, OWN_ESCAPE "[J");
	buf_reset(out);
	buf_put(out, cut.data, cut.len);
	buf_release(&cut);
}
