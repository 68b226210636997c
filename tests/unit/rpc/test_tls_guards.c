/* What clients can do to a TLS session, and what a session holds. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "tls_link.h"

#define SERVED_TLS(name) TEST_WITH(name, served_tls_open, served_tls_close)

/* What OpenSSL holds, in bytes. */
static atomic_size_t held;

static void *counted_realloc(void *p, size_t size, const char *file, int line)
{
	size_t *old = p ? (size_t *)p - 2 : NULL, *block;

	(void)file;
	(void)line;
	held -= old ? *old : 0;
	block = realloc(old, size + 2 * sizeof(size_t));
	if (!block)
		abort();
	*block = size;
	held += size;
	return block + 2;
}

static void *counted_malloc(size_t size, const char *file, int line)
{
	return counted_realloc(NULL, size, file, line);
}

static void counted_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (!p)
		return;
	held -= ((size_t *)p)[-2];
	free((size_t *)p - 2);
}

__attribute__((constructor)) static void count_memory(void)
{
	if (!CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free))
		abort();
}

SERVED_TLS(an_idle_session_is_small)
{
	enum { SESSIONS = 50, IDLE_MAX = 16 << 10 };
	static struct link links[SESSIONS];
	static char bytes[100000];
	struct tls_server *server = serve(NULL, false);
	size_t before, with;

	for (size_t i = 0; i < SESSIONS; i++) {
		assert_true(link_up(&links[i], server, &(struct link_options){.piece = 1000}));
		assert_int_equal(SSL_write(links[i].client, bytes, sizeof(bytes)), sizeof(bytes));
		assert_true(tls_write(links[i].session, bytes, sizeof(bytes), &links[i].encrypted));
		link_move(&links[i]);
		assert_int_equal(links[i].plain.len, sizeof(bytes));
	}
	with = held;
	for (size_t i = 0; i < SESSIONS; i++) {
		tls_session_free(links[i].session);
		links[i].session = NULL;
	}
	before = held;
	print_message("an idle session holds %zu bytes of OpenSSL's\n", (with - before) / SESSIONS);
	assert_in_range((with - before) / SESSIONS, 1, IDLE_MAX);
	for (size_t i = 0; i < SESSIONS; i++)
		link_end(&links[i]);
}

SERVED_TLS(what_is_not_tls_fails_the_session)
{
	static const char *const garbage[] = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x01", "\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x15\x03\x03\x00\x02\x02\x28", "\x17\x03\x03\x00\x05hello"};
	static const size_t sizes[] = {24, 27, 10, 8, 7, 10};
	struct tls_server *server = serve(NULL, false);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct link link;

		link_begin(&link, server, &(struct link_options){0});
		for (size_t at = 0; at < sizes[i]; at++)
			link_feed(&link, garbage[i] + at, 1);
		assert_int_equal(tls_state(link.session), TLS_FAILED);
		assert_int_equal(strncmp(link.err.text, "TLS: ", 5), 0);
		buf_reset(&link.encrypted);
		link_feed(&link, "more", 4);
		assert_int_equal(tls_state(link.session), TLS_FAILED);
		assert_false(tls_write(link.session, "x", 1, &link.encrypted));
		tls_close(link.session, &link.encrypted);
		assert_int_equal(link.encrypted.len + link.plain.len, 0);
		link_end(&link);
	}
}

SERVED_TLS(nothing_is_written_before_the_handshake_has_ended)
{
	struct tls_server *server = serve(NULL, false);
	struct link link;

	link_begin(&link, server, &(struct link_options){0});
	assert_false(tls_write(link.session, "x", 1, &link.encrypted));
	tls_close(link.session, &link.encrypted);
	assert_int_equal(link.encrypted.len, 0);
	assert_int_equal(tls_state(link.session), TLS_HANDSHAKE);
	assert_true(link_shake(&link));
	link_end(&link);
}

SERVED_TLS(a_changed_byte_fails_the_session_after_what_came_before_it)
{
	struct tls_server *server = serve(NULL, false);
	uint8_t bytes[256];
	struct link link;
	char nothing[16];
	int n, why;

	assert_true(link_up(&link, server, &(struct link_options){0}));
	SSL_write(link.client, "whole", 5);
	SSL_write(link.client, "broken", 6);
	n = BIO_read(link.from_client, bytes, sizeof(bytes));
	bytes[n - 1] ^= 1;
	link_feed(&link, bytes, (size_t)n);
	assert_int_equal(tls_state(link.session), TLS_FAILED);
	assert_string_equal(buf_str(&link.plain), "whole");
	link_move(&link);
	assert_int_equal(link_read(&link, nothing, sizeof(nothing), &why), 0);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
	link_end(&link);
}

/* A ClientHello that claims 120,000 bytes, which OpenSSL would take. */
SERVED_TLS(a_handshake_is_bounded)
{
	static const uint8_t hello[] = {0x01, 0x01, 0xd4, 0xc0, 0x03, 0x03}, head[] = {0x16, 0x03, 0x01, 0x10, 0x00};
	uint8_t record[sizeof(head) + 4096] = {0};
	struct tls_server *server = serve(NULL, false);
	struct link link;
	size_t fed = 0;

	link_begin(&link, server, &(struct link_options){0});
	memcpy(record, head, sizeof(head));
	memcpy(record + sizeof(head), hello, sizeof(hello));
	while (tls_state(link.session) == TLS_HANDSHAKE && fed < 120000) {
		link_feed(&link, record, sizeof(record));
		memset(record + sizeof(head), 0, sizeof(record) - sizeof(head));
		fed += sizeof(record);
	}
	assert_int_equal(tls_state(link.session), TLS_FAILED);
	assert_in_range(fed, 64 << 10, 70000);
	assert_non_null(strstr(link.err.text, "64 KiB"));
	link_end(&link);
}

static void update_keys(struct link *link, int times)
{
	for (int i = 0; i < times; i++) {
		assert_int_equal(SSL_key_update(link->client, SSL_KEY_UPDATE_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(link->client), 1);
	}
}

SERVED_TLS(keys_can_be_changed_but_not_only_that)
{
	struct tls_server *server = serve(NULL, false);
	struct link link;
	char heard[16];
	int why;

	assert_true(link_up(&link, server, &(struct link_options){.version = TLS1_3_VERSION}));
	for (int i = 0; i < 10; i++) {
		update_keys(&link, 10);
		assert_int_equal(SSL_write(link.client, "x", 1), 1);
		link_move(&link);
	}
	assert_int_equal(link.plain.len, 10);
	assert_true(tls_write(link.session, "still here", 10, &link.encrypted));
	link_move(&link);
	assert_int_equal(link_read(&link, heard, sizeof(heard), &why), 10);
	update_keys(&link, 40);
	link_move(&link);
	assert_int_equal(tls_state(link.session), TLS_FAILED);
	assert_non_null(strstr(link.err.text, "changes its keys"));
	link_end(&link);
}

SERVED_TLS(a_renegotiation_is_refused_and_data_goes_on)
{
	struct tls_server *server = serve(NULL, false);
	struct link link;

	assert_true(link_up(&link, server, &(struct link_options){.version = TLS1_2_VERSION}));
	assert_int_equal(SSL_renegotiate(link.client), 1);
	assert_true(SSL_do_handshake(link.client) <= 0);
	link_move(&link);
	assert_int_equal(tls_state(link.session), TLS_OPEN);
	assert_true(SSL_do_handshake(link.client) <= 0);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	link_end(&link);
}

SERVED_TLS(no_session_is_resumed)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct tls_server *server = serve(NULL, false);

	for (size_t i = 0; i < 2; i++) {
		struct link_options options = {.version = versions[i]};
		struct link first, second;
		char nothing[1];
		int why;

		assert_true(link_up(&first, server, &options));
		link_read(&first, nothing, sizeof(nothing), &why);
		assert_false(SSL_SESSION_is_resumable(SSL_get0_session(first.client)));
		assert_int_equal(SSL_SESSION_has_ticket(SSL_get0_session(first.client)), 0);
		link_begin(&second, server, &options);
		SSL_set_session(second.client, SSL_get0_session(first.client));
		assert_true(link_shake(&second));
		assert_int_equal(SSL_session_reused(second.client), 0);
		link_end(&first);
		link_end(&second);
	}
}

SERVED_TLS(the_end_of_either_side_is_told)
{
	struct tls_server *server = serve(NULL, false);
	struct link link;
	char heard[16];
	int why;

	assert_true(link_up(&link, server, &(struct link_options){0}));
	assert_int_equal(SSL_shutdown(link.client), 0);
	link_move(&link);
	assert_int_equal(tls_state(link.session), TLS_CLOSED);
	assert_true(tls_write(link.session, "last", 4, &link.encrypted));
	tls_close(link.session, &link.encrypted);
	assert_false(tls_write(link.session, "too late", 8, &link.encrypted));
	link_move(&link);
	tls_close(link.session, &link.encrypted);
	assert_int_equal(link.encrypted.len, 0);
	assert_int_equal(link_read(&link, heard, sizeof(heard), &why), 4);
	assert_int_equal(link_read(&link, heard, sizeof(heard), &why), 0);
	assert_int_equal(why, SSL_ERROR_ZERO_RETURN);
	link_feed(&link, "anything", 8);
	assert_int_equal(tls_state(link.session), TLS_CLOSED);
	link_end(&link);
}
