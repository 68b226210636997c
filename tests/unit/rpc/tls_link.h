/* Certificates, and a client of OpenSSL's whose bytes a test carries to a session of ours and back. */
#ifndef TESTS_RPC_TLS_LINK_H
#define TESTS_RPC_TLS_LINK_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "rpc/tls/tls.h"

struct authority {
	X509 *certificate;
	EVP_PKEY *key;
};

/* What a certificate says besides. */
struct subject {
	const char *name; /* the common name */
	size_t name_len; /* 0: up to its NUL */
	const char *alternatives; /* as openssl.cnf has them: "DNS:a,IP:127.0.0.1"; NULL: none */
	bool expired;
};

/*
 * For each test: a folder with "cert" and "key", which sign themselves, room for "ca", "own" and "own-key", and an
 * authority whose certificate is nowhere yet.
 */
int served_tls_open(void **state);
int served_tls_close(void **state);
const char *folder_path(const char *name);
void folder_write(const char *name, const char *text);
const struct authority *served_authority(void);
/* Serves cert and key, until the end of the test, or until it is called again. `client_ca` NULL: no client is asked for a certificate. */
struct tls_server *serve(const char *client_ca, bool required);

void authority_make(struct authority *authority, const char *name);
void authority_release(struct authority *authority);
/* Writes its certificate to the file. */
void authority_write(const struct authority *authority, const char *file);
/* A certificate and its key, in files that are replaced in one step. `authority` NULL: it signs itself. */
void authority_issue(
	const struct authority *authority, const struct subject *subject, const char *cert, const char *key);

/* How a client behaves; zeros are a usual gRPC client that trusts everybody. */
struct link_options {
	int version; /* TLS1_2_VERSION or TLS1_3_VERSION; 0: the newest */
	const char *alpn; /* as on the wire: "\2h2"; NULL: that; "": none */
	const char *ciphers; /* of TLS 1.2; NULL: OpenSSL's */
	const char *cert, *key; /* NULL: no certificate */
	size_t piece; /* how many bytes reach the server at a time; 0: all */
};

struct link {
	SSL *client;
	BIO *to_client, *from_client;
	struct tls_session *session;
	size_t piece;
	struct buf plain; /* what the session has decrypted */
	struct buf encrypted; /* what it wants to send, and link_move() has not carried yet */
	struct err err;
};

void link_begin(struct link *link, struct tls_server *server, const struct link_options *options);
/* Gives bytes of the test's choice to the session. */
void link_feed(struct link *link, const void *bytes, size_t n);
/* Does the handshake as far as it goes; true when the client has ended it. */
bool link_shake(struct link *link);
/* Both; true when the session is open too. */
bool link_up(struct link *link, struct tls_server *by, const struct link_options *options);
/* Carries what has been written in both directions. */
void link_move(struct link *link);
/* What the client reads now: the number of bytes, or 0 and why (SSL_get_error). */
size_t link_read(struct link *link, char *out, size_t size, int *why);
void link_end(struct link *link);

#endif
