/* The PEM files of TLS on the gRPC port. They are read again when they change. */
#ifndef BURSAR_RPC_TLS_PEM_H
#define BURSAR_RPC_TLS_PEM_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

/* The strings are borrowed as long as the server lives. */
struct rpc_tls {
	const char *cert,
		*key; /* the chain, with the server's own certificate first, and its key; NULL or "": no TLS */
	const char *client_ca; /* the CA of callers' certificates; NULL or "": callers are not asked for one */
	bool client_required; /* callers without a certificate are refused; otherwise they need an API key */
};

enum { PEM_CERT, PEM_KEY, PEM_CLIENT_CA, PEM_FILES };

/* Tells whether a file has changed without reading it. */
struct pem_stamp {
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct pem_files {
	struct rpc_tls tls;
	struct pem_stamp stamp[PEM_FILES]; /* zeros at first: then all files count as changed */
};

/* Whether a file has changed since the last time; costs three stat(2). */
bool pem_changed(struct pem_files *files);

/* The content of the files; a file without a path stays empty. ERR_INVALID. Release it in either case. */
bool pem_read(const struct pem_files *files, struct buf text[PEM_FILES], struct err *err)
	__attribute__((warn_unused_result));
/* Frees the content, and wipes the key first. */
void pem_release(struct buf text[PEM_FILES]);

#endif
