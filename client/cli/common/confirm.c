/* Asks for confirmation (confirm.h). Programs use --yes. */
#include "cli/common/confirm.h"

#include <stdio.h>
#include <strings.h>
#include <unistd.h>

enum { BUSY_FROM = 200 };

bool cli_ask(struct cli *cli, const char *question, const char *otherwise, int *code)
{
	char answer[16] = "";

	cli_flush(cli);
	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "bursar: nothing was changed; %s\n", otherwise);
		*code = EXIT_USAGE;
		return false;
	}
	fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof(answer), stdin) &&
		(strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0))
		return true;
	fprintf(stderr, "bursar: nothing was changed\n");
	*code = EXIT_DONE;
	return false;
}

bool cli_confirm(struct cli *cli, const char *question, int *code)
{
	return option_given(cli, "yes") || cli_ask(cli, question, "repeat the command with --yes", code);
}

void cli_busy(const char *doing, size_t count, const char *what)
{
	if (count >= BUSY_FROM && isatty(STDERR_FILENO))
		fprintf(stderr, "%s %zu %s ...\n", doing, count, what);
}
