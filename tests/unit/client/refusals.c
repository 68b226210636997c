#include "refusals.h"

#include <string.h>

#include "lib/test.h"

static bool is_said(const char *text, const char *says)
{
	return says[0] == '^' ? strncmp(text, says + 1, strlen(says + 1)) == 0 : strstr(text, says) != NULL;
}

void all_refused(const struct refusal *rows, size_t count, bool (*accepts)(const char *text, struct err *err),
	const char *file, int line)
{
	for (size_t i = 0; i < count; i++) {
		struct err err = {0};

		if (accepts(rows[i].text, &err))
			print_error("'%s' is accepted\n", rows[i].text);
		else if (err.code != ERR_INVALID || !is_said(err.text, rows[i].says))
			print_error("'%s': says '%s' (code %d), not '%s'\n", rows[i].text, err.text, (int)err.code,
				rows[i].says);
		else
			continue;
		_fail(file, line);
	}
}
