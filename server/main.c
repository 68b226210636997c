/* bursard: reads the configuration, builds the parts, runs and stops. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "api/methods.h"
#include "api/auth/auth.h"
#include "api/health/health.h"
#include "api/health/reflection.h"
#include "api/openapi/openapi.h"
#include "api/rest/rest.h"
#include "api/auth/revoked.h"
#include "base/conf/conf.h"
#include "base/crypto/libcrypto.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "ops/otlp.h"
#include "ops/pages.h"
#include "pg/link/migrate.h"
#include "rpc/h2/h2.h"
#include "rpc/listen/address.h"
#include "rpc/server.h"
#include "web.h"
#include "wire.h"

/* Exit codes: 0 success, 1 could not start or stop cleanly, 2 invalid option. */
enum { EXIT_BAD_OPTION = 2, STOP_GRACE_S = 10, LOOK_MS = 5000 };

struct parts {
	struct conf conf;
	struct wire *wire;
	struct rpc_server *rpc;
	struct otlp *otlp;
	struct http_probe probes[4]; /* the last one stays empty to end the table */
	struct web web;
	uv_loop_t loop;
	uv_signal_t on_term;
	uv_signal_t on_int;
	uv_timer_t look;
	atomic_bool serving;
};

static bool probe_grpc(struct buf *reason, void *ctx)
{
	struct parts *parts = ctx;
	bool serving = atomic_load(&parts->serving);

	if (!serving)
		buf_put_str(reason, parts->conf.roles & conf_roles_serve ? "the server is starting or stopping"
									 : "this process does not serve gRPC");
	return serving || !(parts->conf.roles & conf_roles_serve);
}

/* The number of gRPC workers; 0 for a process without that role. */
static unsigned workers_of(const struct conf *conf)
{
	if (!(conf->roles & conf_roles_serve))
		return 0;
	return conf->workers ? (unsigned)conf->workers : uv_available_parallelism();
}

static bool start_web(struct parts *parts, struct err *err)
{
	parts->probes[0] = (struct http_probe){.name = "grpc", .probe = probe_grpc, .ctx = parts};
	parts->probes[1] = (struct http_probe){.name = "redis", .probe = wire_probe_redis, .ctx = parts->wire};
	parts->probes[2] = (struct http_probe){.name = "postgres", .probe = wire_probe_postgres, .ctx = parts->wire};
	return web_start(&parts->web, &parts->conf, workers_of(&parts->conf), parts->probes, err);
}

/* Until a key exists, anyone who can connect is an operator, so plain gRPC outside loopback needs insecure_listen. */
static bool choose_listen(const struct conf *conf, const char **listen, struct err *err)
{
	*listen = conf->grpc_listen;
	if (conf->insecure_listen[0]) {
		log_warn("gRPC is served without encryption", F("listen", conf->insecure_listen));
		*listen = conf->insecure_listen;
		return true;
	}
	if (conf->tls_cert[0] || rpc_address_is_loopback(conf->grpc_listen))
		return true;
	return err_invalid(err, "grpc_listen",
		"%s is reachable from outside; use a loopback address, or set tls_cert and tls_key, or "
		"insecure_listen in a closed network",
		conf->grpc_listen);
}

static bool tls_check(const struct conf *conf, struct err *err)
{
	if (!conf->tls_cert[0] != !conf->tls_key[0])
		return err_invalid(
			err, conf->tls_cert[0] ? "tls_key" : "tls_cert", "is missing: set both tls_cert and tls_key");
	if (conf->tls_client_ca[0] && !conf->tls_cert[0])
		return err_invalid(err, "tls_client_ca", "needs tls_cert and tls_key");
	if (conf->tls_clients[0] && !conf->tls_client_ca[0])
		return err_invalid(err, "tls_clients", "needs tls_client_ca, the CA that signs client certificates");
	if (conf->tls_cert[0] && conf->insecure_listen[0])
		return err_invalid(err, "insecure_listen", "cannot be combined with tls_cert: use grpc_listen");
	if (conf->tls_revoked[0] && !conf->tls_client_ca[0])
		return err_invalid(err, "tls_revoked", "needs tls_client_ca, the CA that signs client certificates");
	return client_roles_check(conf->tls_clients, err) && revoked_check(conf->tls_revoked, err);
}

static bool start_rpc(struct parts *parts, struct err *err)
{
	static const struct rpc_method *const tables[] = {
		health_methods, reflection_methods, limiter_methods, admin_methods, NULL};
	const struct conf *conf = &parts->conf;
	struct rpc_options options = {
		.transport = conf->carrier == conf_carrier_nghttp2 ? &h2_transport : NULL,
		.tls = {.cert = conf->tls_cert,
			.key = conf->tls_key,
			.client_ca = conf->tls_client_ca,
			.client_required = conf->tls_client_certs == conf_tls_client_certs_required},
		.workers = workers_of(conf),
		.max_message_bytes = (size_t)conf->max_message_bytes,
		.max_calls = (size_t)conf->max_calls,
		.answer_timeout_us = conf->answer_timeout_ms * 1000,
		.reuse_port = conf->reuse_port,
		.tables = tables,
		.worker_open = wire_worker_open,
		.worker_close = wire_worker_close,
		.admit = auth_admit,
		.still_admitted = auth_still_admitted,
		.ctx = parts->wire,
	};

	if (!(conf->roles & conf_roles_serve))
		return true;
	if (!tls_check(conf, err) || !choose_listen(conf, &options.listen, err))
		return false;
	parts->rpc = rpc_server_start(&options, err);
	if (!parts->rpc)
		return false;
	web_attach(&parts->web, parts->rpc);
	atomic_store(&parts->serving, true);
	log_info("gRPC is served", F("listen", options.listen), FI("port", rpc_server_port(parts->rpc)),
		FI("workers", options.workers), F("carrier", options.transport ? "nghttp2" : "core"));
	return true;
}

/* A handler that never answers must not keep the process running; the supervisor would kill it without a message. */
static void stop_overdue(int signal)
{
	static const char line[] =
		"bursard: some calls are still unanswered long after the drain time; exiting without answering them\n";

	(void)signal;
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(1);
	_exit(1);
}

/* Set by a second signal, which means: do not wait for slow calls. */
static atomic_bool hurry;

static void on_second_signal(int signal)
{
	(void)signal;
	atomic_store(&hurry, true);
}

static void heed_second_signal(struct parts *parts)
{
	struct sigaction action = {.sa_handler = on_second_signal, .sa_flags = SA_RESTART};

	uv_signal_stop(&parts->on_term);
	uv_signal_stop(&parts->on_int);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

static void stop_parts(struct parts *parts)
{
	const struct conf *conf = &parts->conf;
	struct rpc_stop stop = {
		.lame_duck_us = conf->lame_duck_ms * 1000,
		.drain_us = conf->drain_ms * 1000,
		.hurry = &hurry,
		.detach = web_detach,
		.ctx = &parts->web,
	};

	log_info("bursard is stopping", FI("lame_duck_ms", conf->lame_duck_ms), FI("drain_ms", conf->drain_ms));
	atomic_store(&parts->serving, false);
	heed_second_signal(parts);
	signal(SIGALRM, stop_overdue);
	alarm((unsigned)((conf->lame_duck_ms + conf->drain_ms) / 1000) + STOP_GRACE_S);
	rpc_server_stop(parts->rpc, &stop);
	web_stop(&parts->web);
	wire_stop(parts->wire);
	otlp_stop(parts->otlp);
	alarm(0);
}

static void on_stop_signal(uv_signal_t *handle, int signal)
{
	struct parts *parts = handle->data;

	(void)signal;
	uv_stop(&parts->loop);
}

static void on_look(uv_timer_t *timer)
{
	struct parts *parts = timer->data;

	wire_look();
	web_look(&parts->web);
}

static void start_loop(struct parts *parts)
{
	uv_loop_init(&parts->loop);
	uv_signal_init(&parts->loop, &parts->on_term);
	uv_signal_init(&parts->loop, &parts->on_int);
	parts->on_term.data = parts;
	parts->on_int.data = parts;
	uv_signal_start(&parts->on_term, on_stop_signal, SIGTERM);
	uv_signal_start(&parts->on_int, on_stop_signal, SIGINT);
	uv_timer_init(&parts->loop, &parts->look);
	parts->look.data = parts;
	uv_timer_start(&parts->look, on_look, 0, LOOK_MS);
}

static void close_loop(struct parts *parts)
{
	uv_close((uv_handle_t *)&parts->on_term, NULL);
	uv_close((uv_handle_t *)&parts->on_int, NULL);
	uv_close((uv_handle_t *)&parts->look, NULL);
	uv_run(&parts->loop, UV_RUN_DEFAULT);
	uv_loop_close(&parts->loop);
}

/* Makes a write to a closed socket return EPIPE instead of raising SIGPIPE, and raises the limit of open files. */
static void prepare_process(void)
{
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int run(struct parts *parts)
{
	struct err err;
	int code = 0;

	prepare_process();
	metrics_interfaces(parts->conf.metric_interfaces);
	start_loop(parts);
	parts->wire = wire_start(&parts->conf, workers_of(&parts->conf), &err);
	if (parts->wire && otlp_start(&parts->conf, &parts->otlp, &err) && start_web(parts, &err) &&
		start_rpc(parts, &err)) {
		uv_run(&parts->loop, UV_RUN_DEFAULT);
	} else {
		log_error("bursard cannot start", F("reason", err.text));
		code = err.code == ERR_INVALID ? EXIT_BAD_OPTION : EXIT_FAILURE;
	}
	stop_parts(parts);
	close_loop(parts);
	return code;
}

static int put(FILE *file, struct buf *text)
{
	bool ok = fwrite(buf_str(text), 1, text->len, file) == text->len && fflush(file) == 0;

	buf_release(text);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int print(enum conf_action action, const struct conf *conf)
{
	struct buf out = {0};

	if (action == CONF_HELP)
		conf_print_help(&out);
	else if (action == CONF_VERSION)
		buf_put_str(&out, "bursard " BURSAR_VERSION "\n");
	else if (action == CONF_PRINT)
		conf_print(conf, &out);
	else if (action == CONF_PRINT_PATHS)
		rest_print_docs(&out);
	else if (action == CONF_PRINT_OPENAPI)
		rest_openapi(&out);
	else
		conf_print_docs(&out);
	return put(stdout, &out);
}

/* bursard migrate up | down | status */
static int run_migrate(const struct conf *conf, const struct conf_args *args)
{
	enum migrate_action action;
	struct buf out = {0};
	struct err err;

	if (args->word_count != 2 || !migrate_parse(args->words[1], &action, &err)) {
		fprintf(stderr, "bursard: migrate takes up, down or status\n");
		return EXIT_BAD_OPTION;
	}
	if (!migrate_run(conf->postgres, action, &out, &err)) {
		put(stdout, &out);
		fprintf(stderr, "bursard: %s\n", err.text);
		return EXIT_FAILURE;
	}
	return put(stdout, &out);
}

int main(int argc, char **argv)
{
	static struct parts parts;
	struct conf_args args;
	struct err err;
	int code;

	libcrypto_outlive_threads();
	if (!conf_load(&parts.conf, &args, argc, argv, environ, &err)) {
		fprintf(stderr, "bursard: %s\n", err.text);
		return EXIT_BAD_OPTION;
	}
	log_setup((enum log_format)parts.conf.log_format, (enum log_level)parts.conf.log_level);
	if (args.action != CONF_RUN) {
		code = print(args.action, &parts.conf);
	} else if (args.word_count > 0 && strcmp(args.words[0], "migrate") == 0) {
		code = run_migrate(&parts.conf, &args);
	} else if (args.word_count > 0) {
		fprintf(stderr, "bursard: %s: no such command; see bursard --help\n", args.words[0]);
		code = EXIT_BAD_OPTION;
	} else {
		code = run(&parts);
	}
	conf_release(&parts.conf);
	return code;
}
