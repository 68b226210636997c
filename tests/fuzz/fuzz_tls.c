/*
 * A TLS session and a client of OpenSSL's, with a carrier between them that cuts, corrupts and invents bytes. Each pair of
 * input bytes is a step. What the session decrypts must be a prefix of what the client has sent, whole as long as nothing
 * was corrupted; the other way round likewise; and a session that has failed stays silent.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/observe/log.h"
#include "fuzz/fuzz.h"
#include "rpc/tls/tls.h"

enum { STEPS_MAX = 60, KEY_UPDATES_MAX = 32 };

struct side {
	size_t sent; /* the i-th byte is (char)i */
	struct buf got;
};

struct play {
	SSL *client;
	BIO *to_client;
	struct tls_session *session;
	struct buf wire; /* from the client, not fed yet */
	struct buf encrypted;
	struct side from_client, from_session;
	bool spoilt; /* the session was fed what the client did not send */
	bool ended, closed; /* the client, the session has said that it sends no more */
	int key_updates; /* since the client's last data */
};

static struct tls_server *server;
static SSL_CTX *clients;
static char cert_path[] = "/tmp/bursar-fuzz-cert-XXXXXX", key_path[] = "/tmp/bursar-fuzz-key-XXXXXX";

static void remove_files(void)
{
	unlink(cert_path);
	unlink(key_path);
}

static void set_up(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	FILE *cert_file = fdopen(mkstemp(cert_path), "w"), *key_file = fdopen(mkstemp(key_path), "w");
	struct rpc_tls tls = {.cert = cert_path, .key = key_path};
	struct err err;

	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_set_pubkey(certificate, key);
	X509_sign(certificate, key, EVP_sha256());
	PEM_write_X509(cert_file, certificate);
	PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL);
	fclose(cert_file);
	fclose(key_file);
	X509_free(certificate);
	EVP_PKEY_free(key);
	atexit(remove_files);
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR);
	server = tls_server_new(&tls, &err);
	HOLDS(server);
	clients = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_alpn_protos(clients, (const unsigned char *)"\2h2", 3);
}

static void begin(struct play *play, bool old)
{
	BIO *from_client = BIO_new(BIO_s_mem());

	*play = (struct play){.client = SSL_new(clients), .to_client = BIO_new(BIO_s_mem())};
	BIO_set_mem_eof_return(play->to_client, -1);
	SSL_set_bio(play->client, play->to_client, from_client);
	SSL_set_max_proto_version(play->client, old ? TLS1_2_VERSION : TLS1_3_VERSION);
	SSL_set_connect_state(play->client);
	play->session = tls_session_new(server);
}

static void end(struct play *play)
{
	SSL_free(play->client);
	tls_session_free(play->session);
	buf_release(&play->wire);
	buf_release(&play->encrypted);
	buf_release(&play->from_client.got);
	buf_release(&play->from_session.got);
}

/* Takes what the client has written onto the wire. */
static void collect(struct play *play)
{
	char bytes[4096];

	for (int n; (n = BIO_read(SSL_get_wbio(play->client), bytes, sizeof(bytes))) > 0;)
		buf_put(&play->wire, bytes, (size_t)n);
}

static void feed(struct play *play, size_t piece)
{
	enum tls_state before;
	struct err err;

	for (size_t at = 0, n; at < play->wire.len; at += n) {
		n = play->wire.len - at < piece ? play->wire.len - at : piece;
		before = tls_state(play->session);
#ifdef PLANTED_BUG
		/* The mistake: a large piece loses its end. */
		HOLDS(tls_feed(play->session, (const uint8_t *)play->wire.data + at, n > 200 ? 200 : n,
			      &play->from_client.got, &play->encrypted, &err) >= before);
#else
		HOLDS(tls_feed(play->session, (const uint8_t *)play->wire.data + at, n, &play->from_client.got,
			      &play->encrypted, &err) >= before);
#endif
	}
	buf_reset(&play->wire);
}

static void client_reads(struct play *play)
{
	char bytes[512];

	BIO_write(play->to_client, play->encrypted.data, (int)play->encrypted.len);
	buf_reset(&play->encrypted);
	if (!SSL_is_init_finished(play->client) && SSL_do_handshake(play->client) != 1)
		return;
	for (int n; (n = SSL_read(play->client, bytes, sizeof(bytes))) > 0;)
		buf_put(&play->from_session.got, bytes, (size_t)n);
}

static void move(struct play *play, size_t piece)
{
	ERR_clear_error();
	if (!SSL_is_init_finished(play->client))
		(void)SSL_do_handshake(play->client);
	collect(play);
	feed(play, piece);
	client_reads(play);
	collect(play);
}

static size_t fill(struct side *side, char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(side->sent + i);
	return n;
}

static void client_writes(struct play *play, size_t n)
{
	char bytes[1024];

	fill(&play->from_client, bytes, n);
	if (!SSL_is_init_finished(play->client) || SSL_write(play->client, bytes, (int)n) <= 0)
		return;
	play->from_client.sent += n;
	if (play->key_updates <= KEY_UPDATES_MAX)
		play->key_updates = 0;
}

static void session_writes(struct play *play, size_t n)
{
	char bytes[1024];
	enum tls_state state = tls_state(play->session);
	bool can = (state == TLS_OPEN || state == TLS_CLOSED) && !play->closed;

	fill(&play->from_session, bytes, n);
	HOLDS(tls_write(play->session, bytes, n, &play->encrypted) == can);
	play->from_session.sent += can ? n : 0;
}

static void spoil(struct play *play, size_t at)
{
	collect(play);
	if (!play->wire.len)
		return;
	play->wire.data[at % play->wire.len] ^= 0x10;
	play->spoilt = true;
}

static void invent(struct play *play, uint8_t byte)
{
	collect(play);
	buf_put(&play->wire, &byte, 1);
	play->spoilt = true;
}

static void update_keys(struct play *play)
{
	if (SSL_is_init_finished(play->client) && SSL_version(play->client) == TLS1_3_VERSION && !play->ended &&
		SSL_key_update(play->client, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(play->client) == 1)
		play->key_updates++;
}

static void close_session(struct play *play)
{
	enum tls_state state = tls_state(play->session);

	play->closed = play->closed || state == TLS_OPEN || state == TLS_CLOSED;
	tls_close(play->session, &play->encrypted);
}

static void step(struct play *play, uint8_t what, uint8_t arg)
{
	switch (what % 8) {
	case 0:
		client_writes(play, 1 + 4U * arg);
		break;
	case 1:
		session_writes(play, 1 + 4U * arg);
		break;
	case 2:
		spoil(play, arg);
		break;
	case 3:
		invent(play, arg);
		break;
	case 4:
		for (int i = 0; i < arg % 40; i++)
			update_keys(play);
		break;
	case 5:
		play->ended = play->ended || (SSL_is_init_finished(play->client) && SSL_shutdown(play->client) >= 0);
		break;
	case 6:
		close_session(play);
		break;
	default:
		move(play, 1 + 8U * arg);
	}
}

static void is_prefix(const struct side *side)
{
	HOLDS(side->got.len <= side->sent);
	for (size_t i = 0; i < side->got.len; i++)
		HOLDS(side->got.data[i] == (char)i);
}

static void check(const struct play *play)
{
	enum tls_state state = tls_state(play->session);

	is_prefix(&play->from_client);
	is_prefix(&play->from_session);
	if (play->spoilt || play->key_updates > KEY_UPDATES_MAX)
		return;
	HOLDS(state == (play->ended ? TLS_CLOSED : TLS_OPEN));
	HOLDS(play->from_client.got.len == play->from_client.sent);
	HOLDS(play->from_session.got.len == play->from_session.sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play play;

	if (!server)
		set_up();
	if (size < 1 || size > 1 + 2 * STEPS_MAX)
		return 0;
	begin(&play, data[0] & 1);
	for (size_t i = 1; i + 1 < size; i += 2)
		step(&play, data[i], data[i + 1]);
	for (int i = 0; i < 4; i++)
		move(&play, 1 + data[0]);
	check(&play);
	end(&play);
	return 0;
}
