/* A command that runs below this one: started, told signals, waited for. */
#ifndef BURSAR_CLI_CHILD_H
#define BURSAR_CLI_CHILD_H

#include <stdbool.h>

/* What a shell answers for a command that cannot be run, and for one that is not there. */
enum { CHILD_NOT_EXECUTABLE = 126, CHILD_NOT_FOUND = 127 };

/*
 * Signals that would end this process are kept from it from now on: child_signal tells which came last (0: none). Before
 * the child runs they are for the caller to obey; afterwards child_poll passes them on.
 */
void child_catch_signals(void);
int child_signal(void);

/* Starts it with this process's environment; false when not even a process can be made. */
bool child_start(char *const *argv);

/* Passes on what has come; true when the child has ended, with its exit code (128 + signal where one killed it). */
bool child_poll(int *code);

/* SIGTERM, and SIGKILL when it is called again. */
void child_kill(void);

#endif
