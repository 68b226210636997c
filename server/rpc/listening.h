/* Which sockets of this process listen, and how to make some of them stop. */
#ifndef BURSAR_RPC_LISTENING_H
#define BURSAR_RPC_LISTENING_H

#include <stddef.h>

/* `struct listening l = {0}` holds none; freed with listening_release. */
struct listening {
	int *fd;
	size_t count;
};

/* All sockets of this process that listen now. */
void listening_find(struct listening *found);

/* Leaves in `sockets` those that are not in `others`. */
void listening_subtract(struct listening *sockets, const struct listening *others);

/* From now on nobody can connect to them; who is connected stays so. The descriptors stay open, and their owner's. */
void listening_shut(const struct listening *sockets);

void listening_release(struct listening *sockets);

#endif
