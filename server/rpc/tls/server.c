/*
 * The certificates of a port as one SSL_CTX, which is replaced whenever a file has changed. Sessions hold a reference to
 * the one they began with. Unusable files leave the old one in force.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/observe/log.h"
#include "rpc/tls/private.h"

/* gRPC core's. OpenSSL configures the ciphers of TLS 1.3 apart, and its defaults for them are the same three. */
#define CIPHERS_1_2 \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
#define GROUPS "X25519:P-256"
/* Of a client's certificate with its chain; a chain of four with RSA keys has about 6 KiB. */
enum { CLIENT_CHAIN_MAX = 32 << 10 };

struct tls_server {
	pthread_mutex_t lock;
	struct pem_files files;
	SSL_CTX *context;
};

const char *tls_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	return reason ? reason : "no reason is known";
}

/* The server has h2 and nothing else. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *offered,
	unsigned offered_len, void *arg)
{
	static const unsigned char h2[] = "h2";

	(void)ssl;
	(void)arg;
	for (unsigned i = 0; i < offered_len; i += 1U + offered[i]) { /* OpenSSL has checked that the names fit */
		if (offered[i] == 2 && memcmp(&offered[i + 1], h2, 2) == 0) {
			*out = h2;
			*out_len = 2;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *context_new(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) ||
		!SSL_CTX_set_cipher_list(context, CIPHERS_1_2) || !SSL_CTX_set1_groups_list(context, GROUPS) ||
		!SSL_CTX_set_num_tickets(context, 0)) {
		SSL_CTX_free(context);
		return NULL;
	}
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_cert_list(context, CLIENT_CHAIN_MAX);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	return context;
}

/* OpenSSL would ask at the terminal. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The next certificate of the file; NULL after the last one. False: it is no certificate, though it says so. */
static bool next_certificate(BIO *pem, X509 **out)
{
	unsigned long error;

	*out = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);
	if (*out)
		return true;
	error = ERR_peek_last_error();
	if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
		return false;
	ERR_clear_error();
	return true;
}

static BIO *reader_of(const struct buf *text)
{
	BIO *reader = BIO_new_mem_buf(text->data, (int)strlen(text->data));

	if (!reader)
		mem_exhausted(text->len);
	return reader;
}

static bool use_chain(SSL_CTX *context, const struct buf *text)
{
	BIO *pem = reader_of(text);
	X509 *certificate;
	bool ok = next_certificate(pem, &certificate) && certificate &&
		  SSL_CTX_use_certificate(context, certificate) == 1;

	X509_free(certificate);
	while (ok && (ok = next_certificate(pem, &certificate)) && certificate) {
		ok = SSL_CTX_add0_chain_cert(context, certificate) == 1;
		if (!ok)
			X509_free(certificate);
	}
	BIO_free(pem);
	return ok;
}

static bool use_key(SSL_CTX *context, const struct buf *text)
{
	BIO *pem = reader_of(text);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, NULL);
	bool ok = key && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;

	EVP_PKEY_free(key);
	BIO_free(pem);
	return ok;
}

/* Also tells clients the names of the authorities, so that they choose a certificate that will do. */
static bool use_authorities(SSL_CTX *context, const struct buf *text)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	BIO *pem = reader_of(text);
	X509 *certificate;
	unsigned count = 0;
	bool ok;

	while ((ok = next_certificate(pem, &certificate)) && certificate) {
		ok = X509_STORE_add_cert(store, certificate) == 1 && SSL_CTX_add_client_CA(context, certificate) == 1;
		X509_free(certificate);
		if (!ok)
			break;
		count++;
	}
	BIO_free(pem);
	return ok && count;
}

static void ask_clients(SSL_CTX *context, bool required)
{
	/* As gRPC core has it: what is in the file is trusted, whether or not it signs itself. */
	X509_STORE_set_flags(SSL_CTX_get_cert_store(context), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
}

static bool context_fill(SSL_CTX *context, const struct rpc_tls *tls, const struct buf text[PEM_FILES], struct err *err)
{
	if (!use_chain(context, &text[PEM_CERT]))
		return err_invalid(err, "tls_cert", "%.150s: %s", tls->cert, tls_reason());
	if (!use_key(context, &text[PEM_KEY]))
		return err_invalid(err, "tls_key", "%.150s is not the key of the certificate, or has a passphrase: %s",
			tls->key, tls_reason());
	if (!text[PEM_CLIENT_CA].len)
		return true;
	if (!use_authorities(context, &text[PEM_CLIENT_CA]))
		return err_invalid(err, "tls_client_ca", "%.150s: %s", tls->client_ca, tls_reason());
	ask_clients(context, tls->client_required);
	return true;
}

/* Replaces the context by what the files hold. False: it stays as it was. */
static bool load(struct tls_server *server, struct err *err)
{
	struct buf text[PEM_FILES] = {{0}};
	SSL_CTX *context = NULL;
	bool ok = pem_read(&server->files, text, err);

	ERR_clear_error();
	if (ok) {
		context = context_new();
		ok = context ? context_fill(context, &server->files.tls, text, err)
			     : err_set(err, ERR_INTERNAL, "TLS cannot be set up: %s", tls_reason());
	}
	ERR_clear_error();
	pem_release(text);
	if (ok) {
		SSL_CTX_free(server->context);
		server->context = context;
		log_info("certificate loaded", F("file", server->files.tls.cert));
	} else {
		SSL_CTX_free(context);
	}
	return ok;
}

struct tls_server *tls_server_new(const struct rpc_tls *tls, struct err *err)
{
	struct tls_server *server = mem_zalloc(1, sizeof(*server));

	server->files.tls = *tls;
	pthread_mutex_init(&server->lock, NULL);
	(void)pem_changed(&server->files); /* from now on */
	if (load(server, err))
		return server;
	tls_server_free(server);
	return NULL;
}

void tls_server_free(struct tls_server *server)
{
	if (!server)
		return;
	SSL_CTX_free(server->context);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

SSL *tls_server_begin(struct tls_server *server)
{
	struct err err;
	SSL *ssl;

	pthread_mutex_lock(&server->lock);
	if (pem_changed(&server->files) && !load(server, &err))
		log_error("cannot reload the certificate; the old one stays in use", F("why", err.text));
	ssl = SSL_new(server->context);
	pthread_mutex_unlock(&server->lock);
	if (!ssl)
		mem_exhausted(0);
	SSL_set_accept_state(ssl);
	return ssl;
}
