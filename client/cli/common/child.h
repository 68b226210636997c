/*
 * A command that runs under this one: starts it, passes signals on, waits for it, and ends it with everything that it
 * has started.
 *
 * Two processes do this. The guard is the one that the user started; it only passes signals on and waits. The worker,
 * its child, talks to the server; the command is the worker's child. When the guard is killed, the worker ends the
 * command and then releases the slot; when the worker is killed, the guard ends the command. Both are subreapers:
 * processes that the command leaves behind become their children.
 */
#ifndef BURSAR_CLI_CHILD_H
#define BURSAR_CLI_CHILD_H

#include <stdbool.h>

/* The exit codes of shells for a command that cannot be run, and for one that is not found. */
enum { CHILD_NOT_EXECUTABLE = 126, CHILD_NOT_FOUND = 127 };

/*
 * Splits into two processes; no thread may be running yet. True in the worker, which does the work. False in the guard,
 * with the worker's exit code when it has ended, or with 125 when no process can be created.
 *
 * From now on, signals that would end the worker are held back (ignored ones stay ignored): child_signal returns one
 * that has arrived (0: none). Before the command runs, the caller acts on them; afterwards child_poll passes them on.
 */
bool child_guard(int *code);
bool child_guard_killed(void); /* the guard is gone: nobody is waiting for the command any more */
int child_signal(void);

/*
 * Starts the command with this process's environment; false when no process can be created. It does not outlive the
 * worker.
 */
bool child_start(char *const *argv);

/* Passes on signals; true when the child has ended, with its exit code (128 + signal if a signal killed it). */
bool child_poll(int *code);

/* Sends SIGTERM to the command. */
void child_terminate(void);

/* Sends SIGKILL to the command and everything it has started. Repeat until it returns true: nothing is left. */
bool child_kill_all(void);

#endif
