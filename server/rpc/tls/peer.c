/* The client's certificate, read once when its handshake has ended, since each of its calls may be asked for it. */
#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/arena.h"
#include "rpc/tls/private.h"

/* A name that contains a NUL is somebody's trick, and left out. */
static void add_name(struct tls_peer *peer, const unsigned char *name, int len)
{
	if (len <= 0 || memchr(name, '\0', (size_t)len))
		return;
	buf_put(&peer->names, name, (size_t)len);
	buf_put(&peer->names, "", 1);
}

static void add_common_name(const X509 *certificate, struct tls_peer *peer)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *name = NULL;
	int len = at < 0 ? -1 : ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));

	if (len >= 0)
		add_name(peer, name, len);
	OPENSSL_free(name);
}

static void add_address(const ASN1_OCTET_STRING *address, struct tls_peer *peer)
{
	int len = ASN1_STRING_length(address);
	char text[INET6_ADDRSTRLEN];

	if (len != 4 && len != 16)
		return;
	if (inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof(text)))
		add_name(peer, (const unsigned char *)text, (int)strlen(text));
}

static void add_alternative(const GENERAL_NAME *name, struct tls_peer *peer)
{
	int kind;
	const void *value = GENERAL_NAME_get0_value(name, &kind);

	if (kind == GEN_IPADD)
		add_address(value, peer);
	else if (kind == GEN_DNS || kind == GEN_EMAIL || kind == GEN_URI)
		add_name(peer, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
}

static void write_pem(const X509 *certificate, struct buf *out)
{
	BIO *pem = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (!pem || PEM_write_bio_X509(pem, certificate) != 1)
		mem_exhausted(0);
	len = BIO_get_mem_data(pem, &text);
	buf_put(out, text, (size_t)len);
	BIO_free(pem);
}

void tls_peer_read(const X509 *certificate, struct tls_peer *peer)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	write_pem(certificate, &peer->pem);
	add_common_name(certificate, peer);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		add_alternative(sk_GENERAL_NAME_value(names, i), peer);
	GENERAL_NAMES_free(names);
}

void tls_peer_release(struct tls_peer *peer)
{
	buf_release(&peer->names);
	buf_release(&peer->pem);
}
