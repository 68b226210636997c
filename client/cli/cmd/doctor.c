/* doctor (commands.h): checks the installation from here and from the server, and suggests fixes. */
#include "cli/cmd/commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crypto/certificate.h"
#include "base/clock.h"
#include "cli/text/format.h"
#include "cli/text/plain.h"

enum { ROUNDS = 5, OWN_MAX = 6 };
#define CLOCK_WARN_US INT64_C(1000000)
#define CLOCK_FAIL_US INT64_C(10000000)
#define KEY_WARN_US (14 * INT64_C(86400000000))
#define CERTIFICATE_WARN_US (21 * INT64_C(86400000000)) /* the same as the server's */

/* The findings made here; owns their texts. */
struct own {
	int count;
	Bursar__V1__Diagnosis each[OWN_MAX];
	struct buf found[OWN_MAX];
	int64_t round_us; /* median round trip of a call */
};

/* Adds a finding. The caller writes its text into the buffer returned. */
static struct buf *own_add(struct own *own, const char *name, Bursar__V1__Finding finding, const char *advice)
{
	Bursar__V1__Diagnosis *each = &own->each[own->count];

	bursar__v1__diagnosis__init(each);
	each->name = (char *)name;
	each->finding = finding;
	each->advice = (char *)(finding == BURSAR__V1__FINDING__FINDING_OK ? "" : advice);
	return &own->found[own->count++];
}

static void own_release(struct own *own)
{
	for (int i = 0; i < OWN_MAX; i++)
		buf_release(&own->found[i]);
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Checks the client certificate against this machine's clock. False: the server will not accept it. */
static bool look_certificate(struct cli *cli, struct own *own)
{
	static const char
		renew[] = "put a new certificate and its key in the files that --tls-cert and --tls-key name",
		wait[] = "set this machine's clock if it is wrong; otherwise wait, or use the previous certificate";
	const char *path = cli_setting(cli, SETTING_TLS_CERT);
	int64_t now_us = clock_wall_us();
	struct certificate_term term;

	if (!path || !*path)
		return true;
	bool read = certificate_term(path, &term), early = read && now_us < term.begins_us;
	bool fails = early || term.ends_us <= now_us;
	struct buf *found = own_add(own, "certificate here",
		fails					      ? BURSAR__V1__FINDING__FINDING_FAIL
		: term.ends_us - now_us < CERTIFICATE_WARN_US ? BURSAR__V1__FINDING__FINDING_WARN
							      : BURSAR__V1__FINDING__FINDING_OK,
		early ? wait : renew);
	if (!read) {
		buf_putf(found, "%s has no readable certificate", path);
		return false;
	}
	buf_put_str(found, early ? "valid only from " : fails ? "expired on " : "expires on ");
	put_time_from(found, early ? term.begins_us : term.ends_us, now_us);
	return !fails;
}

/* Measures the round trip. False with the exit code: the server cannot be reached, or refuses the caller. */
static bool measure(struct cli *cli, struct own *own, int *code)
{
	Bursar__V1__GetTenantRequest request = BURSAR__V1__GET_TENANT_REQUEST__INIT;
	int64_t times[ROUNDS];
	struct bursar_error error;

	request.id = (char *)option_text(cli, "tenant");
	for (int i = 0; i < ROUNDS; i++) {
		int64_t begun_us = clock_mono_us();
		Bursar__V1__Tenant *tenant = bursar_get_tenant(cli_bursar(cli), &request, &error);

		if (!tenant && error.code != BURSAR_PERMISSION_DENIED) {
			*code = cli_failed(cli, &error);
			return false;
		}
		bursar_free(tenant);
		times[i] = clock_mono_us() - begun_us;
	}
	qsort(times, ROUNDS, sizeof(times[0]), compare_times);
	own->round_us = times[ROUNDS / 2];
	struct buf *found = own_add(own, "connection", BURSAR__V1__FINDING__FINDING_OK, "");
	buf_putf(found, "%s answers in %" PRId64 ".%" PRId64 " ms", cli->address, own->round_us / 1000,
		own->round_us % 1000 / 100);
	return true;
}

static void look_clock(struct own *own, int64_t server_us, int64_t here_us)
{
	int64_t off_us = here_us - server_us, off = off_us < 0 ? -off_us : off_us;
	Bursar__V1__Finding finding = off >= CLOCK_FAIL_US   ? BURSAR__V1__FINDING__FINDING_FAIL
				      : off >= CLOCK_WARN_US ? BURSAR__V1__FINDING__FINDING_WARN
							     : BURSAR__V1__FINDING__FINDING_OK;
	struct buf *found = own_add(own, "clock here", finding, "synchronise this machine's clock");

	buf_putf(found, "%" PRId64 ".%03" PRId64 " s %s the server's", off / 1000000, off % 1000000 / 1000,
		off_us < 0 ? "behind" : "ahead of");
}

static void look_version(struct own *own, const char *server)
{
	bool same = strcmp(server, BURSAR_VERSION) == 0;
	struct buf *found =
		own_add(own, "version", same ? BURSAR__V1__FINDING__FINDING_OK : BURSAR__V1__FINDING__FINDING_WARN,
			"install the server's version of this command: commands or fields may be missing");

	buf_putf(found, "server %s, this command " BURSAR_VERSION, server);
}

static void look_key(struct own *own, const Bursar__V1__DiagnoseResponse *answer)
{
	int64_t left_us = answer->key_expires_at_us - answer->now_us;
	bool ends = answer->key_expires_at_us && left_us < KEY_WARN_US;
	struct buf *found =
		own_add(own, "caller", ends ? BURSAR__V1__FINDING__FINDING_WARN : BURSAR__V1__FINDING__FINDING_OK,
			"'bursar key rotate' creates its successor");

	buf_putf(found, "%s, ", answer->caller);
	put_enum(found, &bursar__v1__role__descriptor, (int)answer->role, "ROLE_");
	if (answer->key_expires_at_us) {
		buf_put_str(found, ", until ");
		put_time(found, answer->key_expires_at_us);
	}
}

static void show_line(struct cli *cli, const Bursar__V1__Diagnosis *check)
{
	static const char *const words[] = {"?", "ok", "WARN", "FAIL"}, *const colours[] = {"33", "32", "33", "1;31"};
	unsigned finding = check->finding <= BURSAR__V1__FINDING__FINDING_FAIL ? check->finding : 0;

	cli_put_coloured(cli, colours[finding], words[finding]);
	buf_putf(&cli->out, "%*s%-17s ", (int)(6 - strlen(words[finding])), "", check->name);
	put_plain(&cli->out, check->found);
	buf_put_str(&cli->out, "\n");
	if (check->advice[0])
		buf_putf(&cli->out, "      -> %s\n", check->advice);
}

static void show_all(struct cli *cli, const Bursar__V1__DiagnoseResponse *all)
{
	int counts[4] = {0};

	for (size_t i = 0; i < all->n_checks; i++) {
		show_line(cli, all->checks[i]);
		counts[all->checks[i]->finding <= BURSAR__V1__FINDING__FINDING_FAIL ? all->checks[i]->finding : 0]++;
	}
	buf_putf(&cli->out, "%d ok, %d to check, %d failed\n", counts[1], counts[0] + counts[2], counts[3]);
}

/* Shows the findings made here, then the server's. Does not change the answer. */
static int show(struct cli *cli, struct own *own, const Bursar__V1__DiagnoseResponse *answer)
{
	Bursar__V1__DiagnoseResponse all = *answer;
	Bursar__V1__Diagnosis **checks = mem_zalloc(answer->n_checks + OWN_MAX, sizeof(*checks));
	int code = EXIT_DONE;

	all.n_checks = 0;
	for (int i = 0; i < own->count; i++) {
		own->each[i].found = (char *)buf_str(&own->found[i]);
		checks[all.n_checks++] = &own->each[i];
	}
	for (size_t i = 0; i < answer->n_checks; i++)
		checks[all.n_checks++] = answer->checks[i];
	all.checks = checks;
	for (size_t i = 0; i < all.n_checks; i++)
		if (checks[i]->finding == BURSAR__V1__FINDING__FINDING_FAIL)
			code = EXIT_DENIED;
	if (!cli_json(cli, &all))
		show_all(cli, &all);
	free(checks);
	return code;
}

/* For a caller whose key may not run the server's checks: shows only the findings made here. */
static int show_outside(struct cli *cli, struct own *own)
{
	Bursar__V1__DiagnoseResponse none = BURSAR__V1__DIAGNOSE_RESPONSE__INIT;
	struct buf *found = own_add(own, "server", BURSAR__V1__FINDING__FINDING_WARN, "use an admin's key");

	buf_put_str(found, "the key may not run the server's checks");
	return show(cli, own, &none);
}

static int run_doctor(struct cli *cli)
{
	Bursar__V1__DiagnoseRequest request = BURSAR__V1__DIAGNOSE_REQUEST__INIT;
	Bursar__V1__DiagnoseResponse *answer;
	struct bursar_error error;
	Bursar__V1__DiagnoseResponse none = BURSAR__V1__DIAGNOSE_RESPONSE__INIT;
	struct own own = {0};
	bool own_right;
	int code;

	request.tenant = (char *)option_text(cli, "tenant");
	own_right = look_certificate(cli, &own);
	if (!measure(cli, &own, &code)) {
		if (!own_right)
			show(cli, &own, &none);
	} else {
		answer = bursar_diagnose(cli_bursar(cli), &request, &error);
		if (answer) {
			look_clock(&own, answer->now_us, clock_wall_us() - own.round_us / 2);
			look_version(&own, answer->version);
			look_key(&own, answer);
			code = show(cli, &own, answer);
			bursar_free(answer);
		} else if (error.code == BURSAR_PERMISSION_DENIED) {
			code = show_outside(cli, &own);
		} else {
			code = cli_failed(cli, &error);
		}
	}
	own_release(&own);
	return code;
}

static const struct command commands[] = {
	{
		COMMAND("doctor", "", "check the installation and suggest fixes", run_doctor),
		.about = "Checks the connection, clocks, versions, the key and the client certificate from here, and "
			 "through the server: Redis (persistence, eviction, memory, outbox), PostgreSQL (schema, "
			 "partitions, refused entries, waiting changes), prices, keys, pools, time zone data and the "
			 "server's certificate. Exit code 1 when a check fails; warnings leave it 0.",
		.options = {OPTION_TENANT},
		.examples = {"doctor", "doctor --json"},
	},
};

const struct command_group doctor_commands = {"Health", commands, sizeof(commands) / sizeof(*commands)};
