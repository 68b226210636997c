/*
 * gRPC cannot stop accepting connections while it serves existing ones, and it does not reveal its sockets. They are
 * found as the sockets that listen after gRPC has started but did not before.
 */
#include "rpc/listen/listening.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/arena.h"

static bool listens(int fd)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value;
}

void listening_find(struct listening *found)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;

	*found = (struct listening){0};
	while (folder && (entry = readdir(folder))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || !listens(fd))
			continue;
		found->fd = mem_realloc(found->fd, (found->count + 1) * sizeof(found->fd[0]));
		found->fd[found->count++] = fd;
	}
	if (folder)
		closedir(folder);
}

static bool has(const struct listening *sockets, int fd)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->fd[i] == fd)
			return true;
	return false;
}

void listening_subtract(struct listening *sockets, const struct listening *others)
{
	size_t kept = 0;

	for (size_t i = 0; i < sockets->count; i++)
		if (!has(others, sockets->fd[i]))
			sockets->fd[kept++] = sockets->fd[i];
	sockets->count = kept;
}

void listening_shut(const struct listening *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		shutdown(sockets->fd[i], SHUT_RDWR);
}

void listening_release(struct listening *sockets)
{
	free(sockets->fd);
	*sockets = (struct listening){0};
}
