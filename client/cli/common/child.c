#include "cli/common/child.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GUARD_FAILED = 125, KILL_AGAIN_NS = 2000000 };

/* A bit for each signal. Handlers may run on any thread, so each mask is taken as a whole. */
static atomic_uint caught, to_pass_on;
static pid_t guard, child;
static bool child_ended;
static int child_status;
static sigset_t handled; /* the signals below that were not ignored at the start */

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
enum { PASSED_ON = sizeof(passed_on) / sizeof(*passed_on) };

/*
 * A signal typed at the terminal comes from the kernel and reaches the whole foreground group, so it is not passed on.
 * A signal sent by a process reaches one process.
 */
static bool from_process(const siginfo_t *info)
{
	return info->si_code <= 0;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	atomic_fetch_or(&caught, 1U << number);
	if (from_process(info))
		atomic_fetch_or(&to_pass_on, 1U << number);
}

/* nohup ignores SIGHUP; a shell ignores SIGINT for what it runs in the background. */
static void handled_find(void)
{
	struct sigaction was;

	sigemptyset(&handled);
	for (int i = 0; i < PASSED_ON; i++)
		if (sigaction(passed_on[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			sigaddset(&handled, passed_on[i]);
}

static void handle(const struct sigaction *action)
{
	for (int i = 0; i < PASSED_ON; i++)
		if (sigismember(&handled, passed_on[i]) == 1)
			sigaction(passed_on[i], action, NULL);
}

/* Reaps children that have ended. False when no child is left. */
static bool reap(pid_t wanted, int *status, bool *ended)
{
	int some;

	for (;;) {
		pid_t pid = waitpid(-1, &some, WNOHANG);

		if (pid <= 0)
			return pid == 0 || errno != ECHILD;
		if (pid == wanted) {
			*status = some;
			*ended = true;
		}
	}
}

static pid_t parent_of(const char *process)
{
	char path[64], line[512];
	const char *behind_name;
	FILE *file;
	int parent = 0;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", process);
	file = fopen(path, "r");
	if (!file)
		return 0;
	len = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[len] = '\0';
	behind_name = strrchr(line, ')'); /* the name can contain anything */
	if (!behind_name || sscanf(behind_name, ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

/* Direct children only: when one is killed, its children become ours and are found the next time. */
static void kill_children(void)
{
	DIR *processes = opendir("/proc");

	if (!processes)
		return;
	for (struct dirent *entry; (entry = readdir(processes));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && parent_of(entry->d_name) == getpid())
			kill(pid, SIGKILL);
	}
	closedir(processes);
}

static int code_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What the guard does. The signals and SIGCHLD are blocked. */
static int guard_wait(pid_t worker)
{
	const struct timespec again = {.tv_nsec = KILL_AGAIN_NS};
	sigset_t awaited = handled;
	bool ended = false;
	int status = 0;

	sigaddset(&awaited, SIGCHLD);
	while (!ended) {
		siginfo_t info;
		int number = sigwaitinfo(&awaited, &info);

		if (number == SIGCHLD)
			reap(worker, &status, &ended);
		else if (number > 0 && from_process(&info))
			kill(worker, number);
	}
	/* The worker was killed: what it had started is ours now, and loses its slot. */
	if (WIFSIGNALED(status)) {
		for (kill_children(); reap(0, &status, &ended); kill_children())
			nanosleep(&again, NULL);
	}
	return code_of(status);
}

bool child_guard(int *code)
{
	struct sigaction catch = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	sigset_t blocked, before;
	pid_t worker;

	handled_find();
	blocked = handled;
	sigaddset(&blocked, SIGCHLD);
	sigemptyset(&catch.sa_mask);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	guard = getpid();
	fflush(NULL);
	worker = fork();
	if (worker < 0) {
		fprintf(stderr, "bursar run: cannot create a process: %s\n", strerror(errno));
		*code = GUARD_FAILED;
		return false;
	}
	if (worker > 0) {
		*code = guard_wait(worker);
		return false;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* not inherited */
	handle(&catch);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return true;
}

/* PR_SET_PDEATHSIG reports this too, but not if it happened earlier. */
bool child_guard_killed(void)
{
	return getppid() != guard;
}

int child_signal(void)
{
	unsigned numbers = atomic_exchange(&caught, 0);

	atomic_store(&to_pass_on, 0);
	return numbers ? __builtin_ctz(numbers) : 0;
}

/* Between fork and exec. */
static void child_exec(pid_t worker, char *const *argv)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};

	/* In case guard and worker are killed at the same time. exec keeps this, unless the program is set-user-ID. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != worker)
		_exit(128 + SIGKILL);
	sigemptyset(&by_default.sa_mask);
	handle(&by_default);
	execvp(argv[0], argv);
	fprintf(stderr, "bursar run: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? CHILD_NOT_FOUND : CHILD_NOT_EXECUTABLE);
}

bool child_start(char *const *argv)
{
	pid_t worker = getpid();

	child = fork();
	if (child < 0) {
		fprintf(stderr, "bursar run: cannot create a process: %s\n", strerror(errno));
		return false;
	}
	if (child == 0)
		child_exec(worker, argv);
	return true;
}

bool child_poll(int *code)
{
	unsigned numbers = atomic_exchange(&to_pass_on, 0);

	for (int i = 0; i < PASSED_ON && !child_ended; i++)
		if (numbers & 1U << passed_on[i])
			kill(child, passed_on[i]);
	reap(child, &child_status, &child_ended);
	*code = code_of(child_status);
	return child_ended;
}

void child_terminate(void)
{
	if (!child_ended)
		kill(child, SIGTERM);
}

bool child_kill_all(void)
{
	kill_children();
	return !reap(child, &child_status, &child_ended);
}
