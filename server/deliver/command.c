/* Runs a program of the option alert_commands, with the alert on its standard input. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text/entries.h"
#include "base/unconst.h"
#include "deliver/private.h"

enum { OUTPUT_KEPT_MAX = 1024, VARIABLES = 7, FIRST_OWN_FD = 3 };

/* A program that runs. */
struct program {
	pid_t pid;
	int pidfd, output;
	char said[OUTPUT_KEPT_MAX];
	size_t said_len;
};

/* The next entry of "page=/usr/local/bin/page, note=/opt/note"; false at the end. Its form is conf_check_commands'. */
static bool command_next(const char **list, const char **name, size_t *name_len, const char **path, size_t *path_len)
{
	size_t len;

	if (!entries_next(list, ",", name, &len))
		return false;
	*name_len = (size_t)((const char *)memchr(*name, '=', len) - *name);
	*path = *name + *name_len + 1;
	*path_len = len - *name_len - 1;
	return true;
}

bool command_options_check(const struct conf *conf, struct err *err)
{
	const char *list = conf->alert_commands, *name, *path;
	size_t name_len, path_len;

	while (command_next(&list, &name, &name_len, &path, &path_len)) {
		char text[4096];
		struct stat found;

		snprintf(text, sizeof(text), "%.*s", (int)path_len, path);
		if (stat(text, &found) != 0)
			return err_invalid(err, "alert_commands", "%.120s: %s", text, strerror(errno));
		if (!S_ISREG(found.st_mode) || access(text, X_OK) != 0)
			return err_invalid(
				err, "alert_commands", "%.120s is not a program that this process may run", text);
	}
	return true;
}

/* The path of a command, to be freed; NULL when there is none of that name. */
static char *command_path(const char *list, const char *wanted)
{
	const char *name, *path;
	size_t name_len, path_len;

	while (command_next(&list, &name, &name_len, &path, &path_len))
		if (name_len == strlen(wanted) && memcmp(name, wanted, name_len) == 0)
			return strndup(path, path_len);
	return NULL;
}

/* A file of the memory that holds the alert, so that no program has to read while we write. */
static int input_of(const struct alert_message *message)
{
	int fd = memfd_create("alert", MFD_CLOEXEC);
	size_t put = 0;

	while (fd >= 0 && put < message->body_len) {
		ssize_t n = write(fd, message->body + put, message->body_len - put);

		if (n < 0) {
			close(fd);
			return -1;
		}
		put += (size_t)n;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Nothing of our own environment goes along. */
static void variables_of(const struct deliver_job *job, struct arena *arena, char *out[VARIABLES])
{
	int n = 0;

	out[n++] = unconst("PATH=/usr/local/bin:/usr/bin:/bin");
	out[n++] = unconst("LANG=C.UTF-8");
	out[n++] = arena_printf(arena, "BURSAR_MESSAGE_ID=%s", job->message_id);
	out[n++] = arena_printf(arena, "BURSAR_TENANT=%s", job->channel->tenant);
	out[n++] = arena_printf(arena, "BURSAR_CHANNEL=%s", job->channel->name);
	out[n++] = arena_printf(arena, "BURSAR_TITLE=%s", job->message->title);
	out[n] = NULL;
}

/* Starts it in a process group and a folder of its own, with default signals and no descriptor but 0, 1 and 2. Returns errno. */
static int program_spawn(const char *path, char *const variables[], int input, int output, pid_t *pid)
{
	char *words[] = {unconst(path), NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	int failed;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&how);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&how, 0);
	posix_spawnattr_setsigmask(&how, &none);
	posix_spawnattr_setsigdefault(&how, &all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, FIRST_OWN_FD);
	posix_spawn_file_actions_addchdir_np(&files, "/");
	failed = posix_spawn(pid, path, &files, &how, words, variables);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&how);
	return failed;
}

static bool program_start(struct program *program, const char *path, const struct deliver_job *job)
{
	int input = input_of(job->message), pipes[2] = {-1, -1}, failed = 0;
	char *variables[VARIABLES];
	struct arena arena = {0};

	if (input < 0 || pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0) {
		failed = errno;
	} else {
		/* Only our end does not block: the program's may be written to like any file. */
		fcntl(pipes[1], F_SETFL, 0);
		variables_of(job, &arena, variables);
		failed = program_spawn(path, variables, input, pipes[1], &program->pid);
		arena_release(&arena);
	}
	if (input >= 0)
		close(input);
	if (pipes[1] >= 0)
		close(pipes[1]);
	program->output = pipes[0];
	if (!failed)
		program->pidfd = pidfd_open(program->pid, 0);
	errno = failed;
	return !failed;
}

/* Keeps the beginning of what it says; false at the end of it. */
static bool program_read(struct program *program)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(program->output, bytes, sizeof(bytes))) > 0) {
		size_t room = sizeof(program->said) - program->said_len, more = (size_t)n < room ? (size_t)n : room;

		memcpy(program->said + program->said_len, bytes, more);
		program->said_len += more;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Waits for its end, which is the end of it and not of its output: a child of it may keep that open. False: it is late. */
static bool program_wait(struct program *program, int stop_fd, int64_t deadline_us)
{
	struct pollfd fds[] = {{.fd = program->pidfd, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN},
		{.fd = program->output, .events = POLLIN}};

	for (;;) {
		int64_t left_ms = (deadline_us - clock_mono_us() + 999) / 1000;

		if (left_ms <= 0)
			return false;
		if (poll(fds, 3, (int)left_ms) < 0 && errno != EINTR)
			return false;
		if (fds[2].revents && !program_read(program))
			fds[2].fd = -1;
		if (fds[0].revents)
			return true;
		if (fds[1].revents)
			return false;
	}
}

static void judge(struct deliver_job *job, const struct program *program, int status)
{
	if (WIFSIGNALED(status)) {
		job->status = 128 + WTERMSIG(status);
		job_fails(job, DELIVER_RETRY, "ended by signal %d", WTERMSIG(status));
	} else {
		job->status = WEXITSTATUS(status);
		if (!job->status) {
			job->outcome = DELIVER_DONE;
			return;
		}
		job_fails(job, DELIVER_RETRY, "exit code %d", job->status);
	}
	job_quotes(job, program->said, program->said_len);
}

static void program_run(struct sender *sender, struct deliver_job *job, const char *path)
{
	int64_t deadline_us = clock_mono_us() + sender->conf->alert_timeout_ms * 1000;
	struct program program = {.output = -1, .pidfd = -1};
	bool ended;
	int status;

	if (!program_start(&program, path, job)) {
		job_fails(job, DELIVER_RETRY, "cannot be started: %s", strerror(errno));
	} else {
		ended = program_wait(&program, sender->stop_fd, deadline_us);
		/* The whole group: what it has started, too. Not reaped yet, so the number is still its own. */
		if (!ended)
			kill(-program.pid, SIGKILL);
		waitpid(program.pid, &status, 0);
		program_read(&program);
		if (ended)
			judge(job, &program, status);
		else if (atomic_load(&sender->stopping))
			job_aborted(job);
		else
			job_fails(job, DELIVER_RETRY, "not finished within alert_timeout_ms; ended");
	}
	if (program.pidfd >= 0)
		close(program.pidfd);
	if (program.output >= 0)
		close(program.output);
}

void command_run(struct sender *sender, struct deliver_job *job)
{
	char *path = command_path(sender->conf->alert_commands, job->channel->target);

	/* Another process may have it. */
	if (!path)
		job_fails(job, DELIVER_RETRY, "the option alert_commands has no %s", job->channel->target);
	else
		program_run(sender, job, path);
	free(path);
}
