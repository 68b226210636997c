/*
 * A command that runs below this one: started, told signals, waited for, and ended with all that it has started.
 *
 * Two processes see to it. The guard is the one that the user has started; it only passes signals on and waits. The worker, its child, speaks
 * to the server and has the command as its child. When the guard is killed, the worker ends the command and gives the slot back
 * after that; when the worker is killed, the guard ends the command. Both are subreapers: what the command leaves behind
 * comes to them, wherever it went.
 */
#ifndef BURSAR_CLI_CHILD_H
#define BURSAR_CLI_CHILD_H

#include <stdbool.h>

/* What a shell answers for a command that cannot be run, and for one that is not there. */
enum { CHILD_NOT_EXECUTABLE = 126, CHILD_NOT_FOUND = 127 };

/*
 * Becomes two processes; no thread may run yet. True in the worker, which does the work. False in the guard, when the worker has ended:
 * with its exit code; or when no process can be made, with 125.
 *
 * Signals that would end the worker are kept from it from now on (those that were ignored stay so): child_signal tells one
 * that came (0: none). Before the command runs they are for the caller to obey; afterwards child_poll passes them on.
 */
bool child_guard(int *code);
bool child_guard_killed(void); /* the guard is gone: nobody waits for the command any more */
int child_signal(void);

/* Starts it with this process's environment; false when not even a process can be made. It does not outlive the worker. */
bool child_start(char *const *argv);

/* Passes on what has come; true when the child has ended, with its exit code (128 + signal where one killed it). */
bool child_poll(int *code);

/* SIGTERM to the command. */
void child_terminate(void);

/* SIGKILL to the command and all that it has started; to be repeated until it is true: nothing is left. */
bool child_kill_all(void);

#endif
