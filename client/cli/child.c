#include "cli/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static pid_t child;
static bool killed;

static void on_signal(int number)
{
	caught = number;
}

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

static void signals_set(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++)
		sigaction(passed_on[i], &action, NULL);
}

void child_catch_signals(void)
{
	signals_set(on_signal);
}

int child_signal(void)
{
	int number = caught;

	caught = 0;
	return number;
}

bool child_start(char *const *argv)
{
	child = fork();
	if (child < 0) {
		fprintf(stderr, "bursar run: no process can be made: %s\n", strerror(errno));
		return false;
	}
	if (child > 0)
		return true;
	signals_set(SIG_DFL);
	execvp(argv[0], argv);
	fprintf(stderr, "bursar run: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? CHILD_NOT_FOUND : CHILD_NOT_EXECUTABLE);
}

/*
 * What is typed at the terminal reaches the whole foreground group, the child too: there it is not sent twice. SIGTERM and the others are
 * sent to one process, so the child gets them from here.
 */
static void pass_on(int number)
{
	if ((number == SIGINT || number == SIGQUIT) && isatty(STDIN_FILENO))
		return;
	if (number)
		kill(child, number);
}

bool child_poll(int *code)
{
	int status;

	pass_on(child_signal());
	if (waitpid(child, &status, WNOHANG) != child)
		return false;
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return true;
}

void child_kill(void)
{
	kill(child, killed ? SIGKILL : SIGTERM);
	killed = true;
}
