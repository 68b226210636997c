/*
 * TLS for a carrier that has sockets of its own, by OpenSSL. A session knows no socket and no loop: it turns encrypted
 * bytes into plain ones and back, and the carrier moves them.
 *
 * The policy is gRPC core's, so that clients notice no difference: TLS 1.2 and 1.3 with AEAD ciphers and ECDHE only, and
 * HTTP/2 by ALPN. A client that offers other protocols only gets the alert no_application_protocol; one that offers none
 * completes the handshake, as tools do that look at certificates, and is closed then. No renegotiation and no early data.
 * No session is ever resumed: each connection proves that its certificate is valid now, tickets need no keys that
 * several processes share, and an idle connection holds nothing for them. Calls share connections that last, so
 * handshakes are rare.
 */
#ifndef BURSAR_RPC_TLS_TLS_H
#define BURSAR_RPC_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "rpc/tls/pem.h"

/* The certificates of a port. */
struct tls_server;
/* One connection, without its socket. For one thread at a time. While it is idle it holds some 14 KiB. */
struct tls_session;

/* Reads the files and tries them; NULL with ERR_INVALID. */
struct tls_server *tls_server_new(const struct rpc_tls *tls, struct err *err);
/* After the last session. NULL is fine. */
void tls_server_free(struct tls_server *server);

/*
 * A session that waits for its client's first bytes. It serves the certificate that the files hold now; if they have
 * become unusable, that is logged, and the last usable ones stay in force. Existing sessions go on with theirs. Any
 * thread may call it; it blocks for three stat(2), and when files have changed until they are read.
 */
struct tls_session *tls_session_new(struct tls_server *server) __attribute__((returns_nonnull));
/* Says nothing to the peer: see tls_close(). NULL is fine. */
void tls_session_free(struct tls_session *session);

enum tls_state {
	TLS_HANDSHAKE, /* nothing may be written yet */
	TLS_OPEN,
	TLS_CLOSED, /* the peer sends no more; what is written still reaches it */
	TLS_FAILED, /* for good */
};

enum tls_state tls_state(const struct tls_session *session);

/*
 * Takes all `n` bytes that have arrived from the socket, in whatever pieces. Appends what they decrypt to to `plain`,
 * and what must be sent at once to `encrypted`: the handshake, or the alert that says why the session failed. Returns
 * the new state, with `err` set when it is TLS_FAILED; `plain` may then hold bytes that arrived before the failure.
 * Clients cause these errors, so do not log them where a flood of them would hurt.
 *
 * A handshake may take 64 KiB from its client; the carrier limits its time. It computes on the calling thread: some
 * 0.4 ms with EC keys, 0.9 ms with RSA of 2,048 bits. A small record takes 2 us to read, and as much to write.
 */
enum tls_state tls_feed(struct tls_session *session, const uint8_t *bytes, size_t n, struct buf *plain,
	struct buf *encrypted, struct err *err) __attribute__((warn_unused_result));

/*
 * Encrypts `n` bytes and appends them to `encrypted`, in records of up to 16 KiB, each 22 bytes (TLS 1.3) or 29 bytes
 * (TLS 1.2) larger than what it holds: few large writes cost less than many small ones. False when the session is
 * neither open nor closed by its peer only.
 */
bool tls_write(struct tls_session *session, const void *bytes, size_t n, struct buf *encrypted)
	__attribute__((warn_unused_result));

/* Appends the end of what this side sends (close_notify), once; nothing can be written after it. */
void tls_close(struct tls_session *session, struct buf *encrypted);

/*
 * Calls `each` with the names (common name, then alternative names: DNS, email, URI, IP address) in the certificate that
 * the client presented and OpenSSL verified, until it returns true. False when there are no names, or `each` never
 * returned true. Valid as long as the session.
 */
bool tls_peer_names(
	const struct tls_session *session, bool (*each)(const char *name, size_t len, void *arg), void *arg);
/* The certificate itself, as PEM; NULL when the client presented none. Valid as long as the session. */
const char *tls_peer_certificate(const struct tls_session *session);

#endif
