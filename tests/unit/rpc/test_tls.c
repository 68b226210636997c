/* TLS sessions against clients of OpenSSL's: handshakes, and what is refused. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "tls_link.h"

#define SERVED_TLS(name) TEST_WITH(name, served_tls_open, served_tls_close)

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void say(struct link *link, const char *text)
{
	assert_int_equal(SSL_write(link->client, text, (int)strlen(text)), (int)strlen(text));
	link_move(link);
}

static void answer(struct link *link, const char *text)
{
	assert_true(tls_write(link->session, text, strlen(text), &link->encrypted));
	link_move(link);
}

static void hears(struct link *link, const char *text)
{
	char heard[256];
	int why;
	size_t n = link_read(link, heard, sizeof(heard), &why);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(heard, text, n);
}

/* Fails with that reason of OpenSSL's: what the alert of the session has told the client. */
static void client_is_told(struct link *link, int reason)
{
	char nothing[16];
	int why;

	if (SSL_is_init_finished(link->client))
		assert_int_equal(link_read(link, nothing, sizeof(nothing), &why), 0);
	else
		assert_true(SSL_do_handshake(link->client) <= 0);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), reason);
}

SERVED_TLS(bytes_go_both_ways_however_they_arrive)
{
	static const size_t pieces[] = {0, 1, 3, 100};
	struct tls_server *server = serve(NULL, false);

	for (size_t i = 0; i < 8; i++) {
		struct link link;

		assert_true(link_up(
			&link, server, &(struct link_options){.version = versions[i % 2], .piece = pieces[i / 2]}));
		say(&link, "a question");
		assert_string_equal(buf_str(&link.plain), "a question");
		say(&link, " and more");
		assert_string_equal(buf_str(&link.plain), "a question and more");
		answer(&link, "an answer");
		hears(&link, "an answer");
		assert_null(tls_peer_certificate(link.session));
		link_end(&link);
	}
}

SERVED_TLS(data_that_arrives_with_the_end_of_the_handshake_is_not_lost)
{
	struct tls_server *server = serve(NULL, false);
	struct link link;

	link_begin(&link, server, &(struct link_options){.version = TLS1_3_VERSION});
	SSL_do_handshake(link.client);
	link_move(&link);
	assert_int_equal(SSL_do_handshake(link.client), 1);
	assert_int_equal(SSL_write(link.client, "early", 5), 5);
	link_move(&link);
	assert_int_equal(tls_state(link.session), TLS_OPEN);
	assert_string_equal(buf_str(&link.plain), "early");
	link_end(&link);
}

SERVED_TLS(large_messages_are_cut_into_records)
{
	enum { SIZE = 1 << 20, RECORDS = SIZE / (16 << 10) };
	static const size_t overhead[] = {29, 22};
	struct tls_server *server = serve(NULL, false);
	char *bytes = malloc(SIZE), *heard = malloc(SIZE);

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(i * 7 >> 3);
	for (size_t i = 0; i < 2; i++) {
		struct link link;
		size_t n = 0;

		assert_true(link_up(&link, server, &(struct link_options){.version = versions[i], .piece = 1000}));
		assert_int_equal(SSL_write(link.client, bytes, SIZE), SIZE);
		link_move(&link);
		assert_int_equal(link.plain.len, SIZE);
		assert_memory_equal(link.plain.data, bytes, SIZE);
		assert_true(tls_write(link.session, bytes, SIZE, &link.encrypted));
		assert_int_equal(link.encrypted.len, SIZE + RECORDS * overhead[i]);
		link_move(&link);
		for (int why; n < SIZE;)
			n += link_read(&link, heard + n, SIZE - n, &why);
		assert_memory_equal(heard, bytes, SIZE);
		link_end(&link);
	}
	free(bytes);
	free(heard);
}

SERVED_TLS(a_client_of_other_protocols_is_refused_by_an_alert)
{
	struct tls_server *server = serve(NULL, false);
	struct link link;

	for (size_t i = 0; i < 2; i++) {
		assert_false(link_up(
			&link, server, &(struct link_options){.version = versions[i], .alpn = "\10http/1.1\3h2c\1h"}));
		assert_int_equal(tls_state(link.session), TLS_FAILED);
		client_is_told(&link, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
		link_end(&link);
	}
	assert_true(link_up(&link, server, &(struct link_options){.alpn = "\10http/1.1\2h2"}));
	link_end(&link);
}

SERVED_TLS(a_client_without_alpn_sees_the_certificate_and_the_end)
{
	struct tls_server *server = serve(NULL, false);

	for (size_t i = 0; i < 2; i++) {
		struct link link;
		char nothing[16];
		int why;

		link_begin(&link, server, &(struct link_options){.version = versions[i], .alpn = ""});
		assert_true(link_shake(&link));
		assert_non_null(SSL_get0_peer_certificate(link.client));
		assert_int_equal(tls_state(link.session), TLS_FAILED);
		assert_non_null(strstr(link.err.text, "ALPN"));
		assert_int_equal(link_read(&link, nothing, sizeof(nothing), &why), 0);
		assert_int_equal(why, SSL_ERROR_ZERO_RETURN);
		link_end(&link);
	}
}

SERVED_TLS(only_the_ciphers_and_versions_of_grpc_core_are_spoken)
{
	struct tls_server *server = serve(NULL, false);
	struct link link;

	assert_false(link_up(&link, server,
		&(struct link_options){.version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA256"}));
	client_is_told(&link, SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
	link_end(&link);
	assert_false(link_up(&link, server,
		&(struct link_options){.version = TLS1_1_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"}));
	client_is_told(&link, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
	link_end(&link);
	assert_true(link_up(&link, server,
		&(struct link_options){.version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"}));
	assert_string_equal(SSL_get_cipher(link.client), "ECDHE-ECDSA-AES256-GCM-SHA384");
	link_end(&link);
}

/* ---- Client certificates ---- */

static bool count_name(const char *name, size_t len, void *arg)
{
	struct buf *all = arg;

	assert_int_equal(strlen(name), len);
	buf_putf(all, "%s ", name);
	return false;
}

static bool is_second(const char *name, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	return strcmp(name, "dns.example") == 0;
}

SERVED_TLS(a_client_certificate_is_known_by_all_its_names)
{
	struct subject subject = {.name = "ops.example",
		.alternatives =
			"DNS:dns.example,email:ops@example.org,URI:spiffe://bursar/ops,IP:192.0.2.7,IP:2001:db8::1,RID:1.2.3"};
	struct buf names = {0};
	struct link link;
	X509 *read;
	BIO *pem;

	authority_write(served_authority(), "ca");
	authority_issue(served_authority(), &subject, "own", "own-key");
	for (size_t i = 0; i < 2; i++) {
		struct link_options options = {
			.version = versions[i], .cert = "own", .key = "own-key", .piece = i * 50};

		assert_true(link_up(&link, i ? serve("ca", true) : serve("ca", false), &options));
		assert_false(tls_peer_names(link.session, count_name, &names));
		assert_string_equal(buf_str(&names),
			"ops.example dns.example ops@example.org spiffe://bursar/ops 192.0.2.7 2001:db8::1 ");
		assert_true(tls_peer_names(link.session, is_second, NULL));
		pem = BIO_new_mem_buf(tls_peer_certificate(link.session), -1);
		read = PEM_read_bio_X509(pem, NULL, NULL, NULL);
		assert_int_equal(X509_cmp(read, SSL_get_certificate(link.client)), 0);
		X509_free(read);
		BIO_free(pem);
		buf_reset(&names);
		link_end(&link);
	}
	buf_release(&names);
}

SERVED_TLS(a_name_with_a_nul_in_it_is_left_out)
{
	struct subject subject = {.name = "ops.example\0.evil", .name_len = 17, .alternatives = "DNS:evil"};
	struct buf names = {0};
	struct link link;

	authority_write(served_authority(), "ca");
	authority_issue(served_authority(), &subject, "own", "own-key");
	assert_true(link_up(&link, serve("ca", true), &(struct link_options){.cert = "own", .key = "own-key"}));
	assert_false(tls_peer_names(link.session, count_name, &names));
	assert_string_equal(buf_str(&names), "evil ");
	buf_release(&names);
	link_end(&link);
}

static void is_refused(struct tls_server *server, const struct link_options *options, const char *why, int told)
{
	struct link link;

	assert_false(link_up(&link, server, options));
	assert_int_equal(tls_state(link.session), TLS_FAILED);
	if (!strstr(link.err.text, why))
		fail_msg("%s", link.err.text);
	client_is_told(&link, told);
	assert_null(tls_peer_certificate(link.session));
	link_end(&link);
}

SERVED_TLS(a_certificate_of_another_authority_is_refused)
{
	struct link_options options = {.cert = "own", .key = "own-key"};
	struct authority stranger;
	struct tls_server *server;

	authority_make(&stranger, "authority");
	authority_issue(&stranger, &(struct subject){.name = "ops.example"}, "own", "own-key");
	authority_release(&stranger);
	authority_write(served_authority(), "ca");
	server = serve("ca", false);
	for (size_t i = 0; i < 2; i++) {
		options.version = versions[i];
		is_refused(server, &options, "certificate signature failure", SSL_R_TLSV1_ALERT_DECRYPT_ERROR);
	}
}

SERVED_TLS(an_expired_certificate_is_refused)
{
	struct subject subject = {.name = "ops.example", .expired = true};

	authority_issue(served_authority(), &subject, "own", "own-key");
	authority_write(served_authority(), "ca");
	is_refused(serve("ca", false), &(struct link_options){.cert = "own", .key = "own-key"},
		"certificate has expired", SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED);
}

SERVED_TLS(a_certificate_can_be_left_out_unless_it_is_required)
{
	struct link link;

	authority_write(served_authority(), "ca");
	assert_true(link_up(&link, serve("ca", false), &(struct link_options){0}));
	assert_null(tls_peer_certificate(link.session));
	assert_false(tls_peer_names(link.session, is_second, NULL));
	link_end(&link);
}

SERVED_TLS(a_required_certificate_that_is_left_out_is_asked_for_by_an_alert)
{
	authority_write(served_authority(), "ca");
	is_refused(serve("ca", true), &(struct link_options){.version = TLS1_3_VERSION}, "did not return a certificate",
		SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
}

SERVED_TLS(a_certificate_that_nobody_asked_for_is_not_looked_at)
{
	struct link link;

	authority_issue(NULL, &(struct subject){.name = "ops.example"}, "own", "own-key");
	assert_true(link_up(&link, serve(NULL, false), &(struct link_options){.cert = "own", .key = "own-key"}));
	assert_null(tls_peer_certificate(link.session));
	link_end(&link);
}
