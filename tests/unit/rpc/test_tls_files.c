/* The PEM files of TLS: unusable ones, and new ones while sessions are open. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/test.h"
#include "tls_link.h"

#define SERVED_TLS(name) TEST_WITH(name, served_tls_open, served_tls_close)

static void cannot_serve(const char *client_ca, const char *field, const char *why)
{
	struct rpc_tls tls = {.cert = folder_path("cert"),
		.key = folder_path("key"),
		.client_ca = client_ca ? folder_path(client_ca) : NULL};
	struct err err = {0};

	assert_null(tls_server_new(&tls, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.field, field);
	if (!strstr(err.text, why))
		fail_msg("%s", err.text);
}

static void write_cut(const char *from, const char *to)
{
	char text[4096];
	FILE *file = fopen(folder_path(from), "re");
	size_t n = fread(text, 1, sizeof(text) - 1, file);

	fclose(file);
	text[n / 2] = '\0';
	folder_write(to, text);
}

SERVED_TLS(unusable_files_are_refused_at_the_start_by_the_name_of_their_option)
{
	cannot_serve("ca", "tls_client_ca", "cannot be read: No such file");
	folder_write("ca", "nonsense\n");
	cannot_serve("ca", "tls_client_ca", "is not a PEM file");
	write_cut("cert", "ca");
	cannot_serve("ca", "tls_client_ca", "bad end line");
	folder_write("ca", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
	cannot_serve("ca", "tls_client_ca", "/ca: ");
	authority_issue(NULL, &(struct subject){.name = "bursard"}, "own", "own-key");
	assert_int_equal(rename(folder_path("own-key"), folder_path("key")), 0);
	cannot_serve(NULL, "tls_key", "key values mismatch");
	folder_write("key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
			    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgAAAAAAAAAAAICCAAw\n"
			    "-----END ENCRYPTED PRIVATE KEY-----\n");
	cannot_serve(NULL, "tls_key", "passphrase");
	write_cut("cert", "cert");
	cannot_serve(NULL, "tls_cert", "/cert: ");
	unlink(folder_path("key"));
	cannot_serve(NULL, "tls_key", "cannot be read");
}

static X509 *shown_to(const struct link *link)
{
	return SSL_get0_peer_certificate(link->client);
}

static void talks(struct link *link)
{
	char heard[16];
	int why;

	buf_reset(&link->plain);
	assert_int_equal(SSL_write(link->client, "ping", 4), 4);
	link_move(link);
	assert_string_equal(buf_str(&link->plain), "ping");
	assert_true(tls_write(link->session, "pong", 4, &link->encrypted));
	link_move(link);
	assert_int_equal(link_read(link, heard, sizeof(heard), &why), 4);
}

SERVED_TLS(a_new_certificate_is_for_new_sessions)
{
	struct tls_server *server = serve(NULL, false);
	struct link old, waiting, new;

	assert_true(link_up(&old, server, &(struct link_options){0}));
	link_begin(&waiting, server, &(struct link_options){0});
	authority_issue(NULL, &(struct subject){.name = "bursard"}, "cert", "key");
	assert_true(link_up(&new, server, &(struct link_options){0}));
	assert_true(link_shake(&waiting));
	assert_int_not_equal(X509_cmp(shown_to(&old), shown_to(&new)), 0);
	assert_int_equal(X509_cmp(shown_to(&old), shown_to(&waiting)), 0);
	talks(&old);
	talks(&waiting);
	talks(&new);
	link_end(&old);
	link_end(&new);
	link_end(&waiting);
}

SERVED_TLS(the_old_certificate_serves_until_the_new_files_belong_together)
{
	struct tls_server *server = serve(NULL, false);
	struct link old, between, new;

	assert_true(link_up(&old, server, &(struct link_options){0}));
	authority_issue(NULL, &(struct subject){.name = "bursard"}, "own", "own-key");
	assert_int_equal(rename(folder_path("own"), folder_path("cert")), 0);
	assert_true(link_up(&between, server, &(struct link_options){0}));
	assert_int_equal(X509_cmp(shown_to(&old), shown_to(&between)), 0);
	assert_int_equal(rename(folder_path("own-key"), folder_path("key")), 0);
	assert_true(link_up(&new, server, &(struct link_options){0}));
	assert_int_not_equal(X509_cmp(shown_to(&old), shown_to(&new)), 0);
	link_end(&old);
	link_end(&between);
	link_end(&new);
	unlink(folder_path("cert"));
	assert_true(link_up(&between, server, &(struct link_options){0}));
	link_end(&between);
}

SERVED_TLS(a_new_authority_of_clients_counts_from_the_next_session_on)
{
	struct link_options options = {.cert = "own", .key = "own-key", .version = TLS1_2_VERSION};
	struct authority stranger;
	struct tls_server *server;
	struct link old, new;

	authority_make(&stranger, "stranger");
	authority_issue(&stranger, &(struct subject){.name = "ops.example"}, "own", "own-key");
	authority_write(&stranger, "ca");
	server = serve("ca", true);
	assert_true(link_up(&old, server, &options));
	authority_write(served_authority(), "ca");
	assert_false(link_up(&new, server, &options));
	assert_non_null(strstr(new.err.text, "unable to get"));
	link_end(&new);
	talks(&old);
	link_end(&old);
	authority_release(&stranger);
}
