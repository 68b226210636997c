/*
 * OpenSSL reads and writes through a BIO of ours, which takes from the bytes that are fed and appends to the buffer of
 * the caller: nothing is copied on the way, and an idle session holds no buffers.
 */
#include <assert.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "rpc/tls/private.h"

#define RECORD_MAX ((size_t)SSL3_RT_MAX_PLAIN_LENGTH)
#define HANDSHAKE_MAX ((size_t)64 << 10)
/* Each new key costs more than the message that asks for it. TLS libraries change keys after millions of records. */
#define KEY_UPDATES_MAX 32

struct tls_session {
	SSL *ssl;
	struct cut in; /* what is fed; empty outside of tls_feed() */
	struct buf *out; /* the caller's, while they wait */
	size_t shaken; /* bytes that the handshake has read */
	unsigned key_updates; /* since the last data */
	enum tls_state state;
	struct tls_peer peer;
};

static bool exceeds(const struct tls_session *session)
{
	return session->shaken > HANDSHAKE_MAX || session->key_updates > KEY_UPDATES_MAX;
}

static int bio_read(BIO *bio, char *out, size_t size, size_t *got)
{
	struct tls_session *session = BIO_get_data(bio);
	size_t n = size < session->in.left ? size : session->in.left;

	BIO_clear_retry_flags(bio);
	if (session->state == TLS_HANDSHAKE)
		session->shaken += n;
	if (exceeds(session))
		return 0;
	if (n == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	memcpy(out, cut_bytes(&session->in, n), n);
	*got = n;
	return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t n, size_t *written)
{
	const struct tls_session *session = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	assert(session->out);
	buf_put(session->out, bytes, n);
	*written = n;
	return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *methods;

static void make_methods(void)
{
	methods = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "buffers of the caller");
	if (!methods || !BIO_meth_set_read_ex(methods, bio_read) || !BIO_meth_set_write_ex(methods, bio_write) ||
		!BIO_meth_set_ctrl(methods, bio_control))
		mem_exhausted(0);
}

static void note_message(int written, int version, int type, const void *bytes, size_t len, SSL *ssl, void *arg)
{
	struct tls_session *session = arg;

	(void)version;
	(void)ssl;
	if (!written && type == SSL3_RT_HANDSHAKE && len && *(const unsigned char *)bytes == SSL3_MT_KEY_UPDATE)
		session->key_updates++;
}

struct tls_session *tls_session_new(struct tls_server *server)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct tls_session *session = mem_zalloc(1, sizeof(*session));
	BIO *bio;

	pthread_once(&once, make_methods);
	ERR_clear_error();
	bio = BIO_new(methods);
	if (!bio)
		mem_exhausted(0);
	BIO_set_data(bio, session);
	BIO_set_init(bio, 1);
	session->ssl = tls_server_begin(server);
	SSL_set_bio(session->ssl, bio, bio);
	SSL_set_msg_callback(session->ssl, note_message);
	SSL_set_msg_callback_arg(session->ssl, session);
	return session;
}

void tls_session_free(struct tls_session *session)
{
	if (!session)
		return;
	SSL_free(session->ssl);
	tls_peer_release(&session->peer);
	free(session);
}

enum tls_state tls_state(const struct tls_session *session)
{
	return session->state;
}

static void fail(struct tls_session *session, struct err *err)
{
	long verified = SSL_get_verify_result(session->ssl);

	if (session->shaken > HANDSHAKE_MAX)
		err_set(err, ERR_EXHAUSTED, "TLS: the handshake takes more than %zu KiB", HANDSHAKE_MAX >> 10);
	else if (session->key_updates > KEY_UPDATES_MAX)
		err_set(err, ERR_EXHAUSTED, "TLS: the client changes its keys, but sends nothing");
	else if (session->state == TLS_HANDSHAKE && verified != X509_V_OK)
		err_set(err, ERR_UNAUTHENTICATED, "TLS: the client certificate is not accepted: %s",
			X509_verify_cert_error_string(verified));
	else
		err_set(err, ERR_UNAUTHENTICATED, "TLS: %s", tls_reason());
	session->state = TLS_FAILED;
	ERR_clear_error(); /* others on this thread would take it for theirs */
}

static void handshake_ended(struct tls_session *session, struct err *err)
{
	const unsigned char *protocol;
	unsigned len;
	const X509 *certificate = SSL_get0_peer_certificate(session->ssl);

	SSL_get0_alpn_selected(session->ssl, &protocol, &len);
	if (!len) {
		err_set(err, ERR_UNAUTHENTICATED, "TLS: the client does not ask for HTTP/2 (ALPN h2)");
		(void)SSL_shutdown(session->ssl);
		session->state = TLS_FAILED;
		return;
	}
	if (certificate)
		tls_peer_read(certificate, &session->peer);
	session->state = TLS_OPEN;
}

static void shake(struct tls_session *session, struct err *err)
{
	int done = SSL_do_handshake(session->ssl);

	if (done == 1)
		handshake_ended(session, err);
	else if (SSL_get_error(session->ssl, done) != SSL_ERROR_WANT_READ)
		fail(session, err);
}

/* Reads what one record holds. False: there is no more. */
static bool read_record(struct tls_session *session, struct buf *plain, struct err *err)
{
	char *room = buf_reserve(plain, RECORD_MAX);
	size_t n = 0;
	int done = SSL_read_ex(session->ssl, room, RECORD_MAX, &n);
	int why;

	plain->len += n;
	plain->data[plain->len] = '\0';
	if (done) {
		session->key_updates = 0;
		return true;
	}
	why = SSL_get_error(session->ssl, done);
	if (why == SSL_ERROR_ZERO_RETURN)
		session->state = TLS_CLOSED;
	else if (why != SSL_ERROR_WANT_READ)
		fail(session, err);
	return false;
}

enum tls_state tls_feed(struct tls_session *session, const uint8_t *bytes, size_t n, struct buf *plain,
	struct buf *encrypted, struct err *err)
{
	if (session->state == TLS_FAILED)
		err_set(err, ERR_UNAUTHENTICATED, "TLS: the session has failed before");
	session->in = cut_of(bytes, n);
	session->out = encrypted;
	ERR_clear_error();
	if (session->state == TLS_HANDSHAKE)
		shake(session, err);
	while (session->state == TLS_OPEN && read_record(session, plain, err))
		continue;
	session->in = cut_of(NULL, 0);
	session->out = NULL;
	return session->state;
}

bool tls_write(struct tls_session *session, const void *bytes, size_t n, struct buf *encrypted)
{
	size_t written;
	bool ok;

	if (session->state != TLS_OPEN && session->state != TLS_CLOSED)
		return false;
	if (n == 0)
		return true;
	session->out = encrypted;
	ERR_clear_error();
	ok = SSL_write_ex(session->ssl, bytes, n, &written) == 1;
	ERR_clear_error();
	session->out = NULL;
	return ok;
}

void tls_close(struct tls_session *session, struct buf *encrypted)
{
	bool opened = session->state == TLS_OPEN || session->state == TLS_CLOSED;

	if (!opened || SSL_get_shutdown(session->ssl) & SSL_SENT_SHUTDOWN)
		return;
	session->out = encrypted;
	ERR_clear_error();
	(void)SSL_shutdown(session->ssl); /* 0: the peer's end has not come yet, which nobody waits for */
	ERR_clear_error();
	session->out = NULL;
}

bool tls_peer_names(const struct tls_session *session, bool (*each)(const char *name, size_t len, void *arg), void *arg)
{
	const struct buf *names = &session->peer.names;
	size_t len;

	for (size_t at = 0; at < names->len; at += len + 1) {
		len = strlen(names->data + at);
		if (each(names->data + at, len, arg))
			return true;
	}
	return false;
}

const char *tls_peer_certificate(const struct tls_session *session)
{
	return session->peer.pem.len ? session->peer.pem.data : NULL;
}
