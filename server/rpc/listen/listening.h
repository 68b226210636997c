/* Finds the listening sockets of this process and shuts some of them. */
#ifndef BURSAR_RPC_LISTEN_LISTENING_H
#define BURSAR_RPC_LISTEN_LISTENING_H

#include <stddef.h>

/* `struct listening l = {0}` is empty; free it with listening_release. */
struct listening {
	int *fd;
	size_t count;
};

/* All sockets of this process that are listening now. */
void listening_find(struct listening *found);

/* Removes `others` from `sockets`. */
void listening_subtract(struct listening *sockets, const struct listening *others);

/* Stops new connections; existing ones are unaffected. The descriptors stay open and still belong to their owner. */
void listening_shut(const struct listening *sockets);

void listening_release(struct listening *sockets);

#endif
