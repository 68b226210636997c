/* Why a call failed, and what to do next (command.h). */
#include "cli/core/command.h"

#include <stdio.h>
#include <string.h>

#include "cli/core/nearest.h"
#include "cli/core/words.h"
#include "cli/text/format.h"
#include "cli/text/meant.h"
#include "cli/text/plain.h"

#define LIST(command) "'bursar " command "' lists what exists. Check --tenant."
#define POOL_BUSY "'bursar pool show' shows who is running and who is waiting."

/* What to do, by the reason (google.rpc.ErrorInfo) that the server gives. */
static const struct advice {
	const char *reason, *text;
} advices[] = {
	{"OTHER_TENANT", "Leave out --tenant to use the key's own tenant, or use an operator's key."},
	{"TOO_MANY_WRONG_KEYS", "A valid key is accepted at once: check --key-file FILE or BURSAR_KEY_FILE."},
	{"TOO_MANY_NEW_USERS", "Create them first ('bursar account put'), or raise bursard's new_users_per_minute."},
	{"SERVER_BUSY", "Too many calls are in flight: try again, or run more workers or another bursard."},
	{"TOO_MANY_WATCH", "Too many watches are open: end one of them, or use another bursard."},
	{"TOO_MANY_WATCHED", "Too many open watches select a user: leave out --user, or end one of them."},
	{"POOL_QUEUE_FULL", POOL_BUSY},
	{"LEVEL_QUEUE_FULL", POOL_BUSY},
	{"USER_QUEUE_FULL", POOL_BUSY},
	{"TOO_MANY_PRIORITIES", POOL_BUSY},
	{"PREDICTED_WAIT", POOL_BUSY},
	{"WAIT_MAX", POOL_BUSY},
	{"DRAINING", "That bursard is shutting down: try again with the same id; another one answers at once."},
	{"TIER_NOT_FOUND", LIST("tier list")},
	{"POOL_NOT_FOUND", LIST("pool list")},
	{"TEXT_NOT_FOUND", LIST("tenant text list")},
	{"PRICE_NOT_FOUND", LIST("price list")},
	{"ALIAS_NOT_FOUND", LIST("model alias list")},
	{"FAMILY_NOT_FOUND", LIST("model family list")},
	{"KEY_NOT_FOUND", LIST("key list")},
	{"TENANT_NOT_FOUND", "'bursar tenant list' lists what exists."},
	{"ACCOUNT_NOT_FOUND", "'bursar account list' lists what exists. Check --tenant."},
	{"RESERVATION_NOT_FOUND", "Check --tenant. A reservation stays known for 15 minutes after it ends."},
	{"LEASE_NOT_FOUND", "A lease stays known for a while after it ends."},
};

/* By code, when the server gives no reason or one without advice of its own. */
static const struct hint {
	int code;
	const char *text;
} hints[] = {
	{BURSAR_ALREADY_EXISTS, "This id was already used for a different request: choose another, or repeat the first "
				"call unchanged."},
	{BURSAR_UNAUTHENTICATED, "Put the key in a file and pass it with --key-file FILE or BURSAR_KEY_FILE; an admin "
				 "creates keys with 'bursar key create'."},
	{BURSAR_PERMISSION_DENIED,
		"Use a key that has the right role: an admin's key of the tenant, or an operator's key."},
	{BURSAR_UNIMPLEMENTED,
		"The server is older than this command; compare 'bursar version' with 'bursard --version'."},
	{BURSAR_UNAVAILABLE, "The server is up but a store behind it is not: see /readyz on its HTTP port, or "
			     "'deploy/local status'."},
	{BURSAR_DEADLINE_EXCEEDED,
		"The server did not finish in time: see 'deploy/local logs', or allow more time with --timeout."},
	{BURSAR_INTERNAL, "The server's log has the details: 'deploy/local logs'."},
};

#define WAS_CLOSED \
	"the connection was closed before the server answered", \
		"If it uses TLS, pass its authority with --tls-ca FILE; otherwise see its log.", \
		"If it asks for client certificates, check that yours (--tls-cert, --tls-key) is from its authority, " \
		"not expired and not revoked. Its log may say more."

/*
 * What gRPC says when it has no connection, and what that means. The first row whose mark is in the message applies.
 * There is no code for these.
 */
static const struct cause {
	const char *mark;
	const char *text; /* NULL: gRPC's own text is clear enough */
	const char *next_plain; /* what to do next, without TLS; NULL: happens only with TLS */
	const char *next_tls;
} causes[] = {
	{"wrong version number", "the server there does not speak TLS", NULL,
		"Leave out --tls-ca (and BURSAR_TLS_CA, and the profile's tls-ca), or give bursard a certificate (its "
		"--tls-cert and --tls-key)."},
	{"certificate verify failed",
		"its certificate was not issued by the authority in --tls-ca, or is not valid now", NULL,
		"Pass its authority with --tls-ca FILE; 'openssl s_client -showcerts -connect HOST:PORT' shows the "
		"certificate and its dates."},
	{"not in peer certificate", "its certificate is for another name", NULL,
		"Use the name in its certificate with --addr; 'openssl s_client -connect HOST:PORT' shows that name."},
	{"Socket closed", WAS_CLOSED},
	{"Endpoint read failed", WAS_CLOSED}, /* by an alert of TLS */
	{"", NULL,
		"Is bursard running there? If it uses TLS, pass its authority with --tls-ca. Start one with "
		"'deploy/local up', or choose another with --addr HOST:PORT or BURSAR_ADDR.",
		"Is bursard running there? Start one with 'deploy/local up', or choose another with --addr HOST:PORT "
		"or BURSAR_ADDR."},
};

/* gRPC's message about a connection, without its repetitions. */
static const char *plain_cause(const char *message)
{
	static const char last[] = "last error: ", remote[] = "Failed to connect to remote host: ";
	const char *cause = strstr(message, last), *end;

	if (!cause)
		return message;
	cause += strlen(last);
	end = strstr(cause, remote);
	if (end)
		return end + strlen(remote);
	if (strncmp(cause, "UNKNOWN: ", 9) == 0)
		cause += 9;
	end = strncmp(cause, "unix:", 5) == 0 || strncmp(cause, "ipv", 3) == 0 ? strstr(cause, ": ") : NULL;
	return end ? end + 2 : cause; /* the address has already been printed */
}

static int unreachable(const struct cli *cli, const struct bursar_error *error)
{
	const char *ca = cli_setting(cli, SETTING_TLS_CA);
	const struct cause *cause = causes;

	while (!strstr(error->message, cause->mark))
		cause++;
	fprintf(stderr, "bursar: cannot reach %s: %s\n", cli->address,
		cause->text ? cause->text : plain_cause(error->message));
	fprintf(stderr, "  %s\n", (ca && *ca) || !cause->next_plain ? cause->next_tls : cause->next_plain);
	return EXIT_UNREACHABLE;
}

static const char *advice_of(const struct bursar_error *error)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++)
		if (strcmp(advices[i].reason, error->reason) == 0)
			return advices[i].text;
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (hints[i].code == error->code)
			return hints[i].text;
	return NULL;
}

static bool has_tenant(const struct cli *cli)
{
	for (const struct option *option = cli->command->options; option->name; option++)
		if (strcmp(option->name, "tenant") == 0)
			return true;
	return false;
}

static void near_tenant(struct cli *cli, const char *tenant, struct meant *meant)
{
	(void)tenant;
	nearest_tenant(cli, meant);
}

/* Suggests a name when one was not found. */
static const struct missing {
	const char *reason;
	void (*nearest)(struct cli *cli, const char *tenant, struct meant *meant);
} missings[] = {
	{"TIER_NOT_FOUND", nearest_tier},
	{"POOL_NOT_FOUND", nearest_pool},
	{"PRICE_NOT_FOUND", nearest_model},
	{"ACCOUNT_NOT_FOUND", nearest_user},
	{"TENANT_NOT_FOUND", near_tenant},
};

static void put_nearest(struct buf *out, struct cli *cli, const struct bursar_error *error)
{
	struct meant meant = {.typed = error->name};

	for (size_t i = 0; error->name[0] && i < sizeof(missings) / sizeof(*missings); i++)
		if (strcmp(missings[i].reason, error->reason) == 0)
			missings[i].nearest(cli, has_tenant(cli) ? option_text(cli, "tenant") : "", &meant);
	if (meant.distance > 0) /* 0: the name exists, but elsewhere */
		meant_put(out, &meant);
}

int cli_failed(struct cli *cli, const struct bursar_error *error)
{
	const char *advice = advice_of(error);
	struct buf wait = {0}, said = {0};

	if (!error->from_server)
		return unreachable(cli, error);
	words_put(&said, cli, error->field, error->message);
	put_nearest(&said, cli, error);
	fprintf(stderr, "bursar: refused (%s): %s\n", bursar_code_name(error->code), buf_str(&said));
	buf_release(&said);
	if (error->retry_after_us > 0) {
		put_duration(&wait, error->retry_after_us);
		fprintf(stderr, "  Try again in %s.\n", buf_str(&wait));
		buf_release(&wait);
	}
	if (advice)
		fprintf(stderr, "  %s\n", advice);
	return EXIT_REFUSED;
}
