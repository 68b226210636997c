/* key ... (commands.h): API keys. */
#include "cli/cmd/admin/admin.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/common/view.h"
#include "cli/text/format.h"

/* "bot", or "user alice": a user's key belongs to one user. */
static void put_role(struct buf *out, const Bursar__V1__ApiKey *key)
{
	put_enum(out, &bursar__v1__role__descriptor, (int)key->role, "ROLE_");
	buf_putf(out, "%s%s", key->account[0] ? " " : "", key->account);
}

static const char *state_word(const Bursar__V1__ApiKey *key)
{
	if (key->revoked_at_us)
		return "revoked";
	if (key->expires_at_us && key->expires_at_us <= clock_wall_us())
		return "expired";
	return key->rotated_to ? "rotated" : "active";
}
static void put_when(struct buf *out, int64_t us, const char *never)
{
	if (us)
		put_time(out, us);
	else
		buf_put_str(out, never);
}

static void view_when(struct cli *cli, const char *label, int64_t us, const char *never)
{
	struct buf text = {0};

	put_when(&text, us, never);
	view_field_buf(cli, label, &text);
	buf_release(&text);
}

static void view_words(struct cli *cli, const char *label, char **words, size_t count)
{
	struct buf text = {0};

	for (size_t i = 0; i < count; i++)
		buf_putf(&text, "%s%s", i ? ", " : "", words[i]);
	if (count)
		view_field_buf(cli, label, &text);
	buf_release(&text);
}

static void show_key(struct cli *cli, const Bursar__V1__ApiKey *key)
{
	struct buf role = {0};

	buf_putf(&cli->out, "key %" PRId64 "  %s...  (%s)\n", key->id, key->prefix, state_word(key));
	put_role(&role, key);
	view_field_buf(cli, "role", &role);
	view_field(cli, "tenant", "%s", key->tenant[0] ? key->tenant : "all");
	if (key->label[0])
		view_field(cli, "label", "%s", key->label);
	view_words(cli, "interfaces", key->interfaces, key->n_interfaces);
	view_words(cli, "addresses", key->addresses, key->n_addresses);
	view_when(cli, "expires", key->expires_at_us, "never");
	if (key->revoked_at_us)
		view_when(cli, "revoked", key->revoked_at_us, "");
	if (key->rotated_to)
		view_field(cli, "rotated to", "key %" PRId64, key->rotated_to);
	view_when(cli, "last used", key->last_used_at_us, "never");
	if (key->last_used_from[0])
		view_field(cli, "from", "%s", key->last_used_from);
	buf_release(&role);
}

/* Shows a new key: the only time that it can be seen. */
static void show_new(struct cli *cli, const Bursar__V1__CreateKeyResponse *answer)
{
	show_key(cli, answer->key);
	buf_putf(&cli->out, "\n  %s\n\n", answer->secret);
	buf_put_str(&cli->out, "The key is shown only this once. Keep it in a file that only its user can "
			       "read, and pass that file with --key-file or BURSAR_KEY_FILE.\n");
}

static int run_create(struct cli *cli)
{
	Bursar__V1__CreateKeyRequest request = BURSAR__V1__CREATE_KEY_REQUEST__INIT;

	request.role = (Bursar__V1__Role)cli_enum(&bursar__v1__role__descriptor, "ROLE_", cli_arg(cli, 0));
	if (!request.role) {
		cli_none_of(&cli->err, cli_arg(cli, 0), "user|bot|viewer|admin|operator");
		return cli_usage(cli);
	}
	if (request.role == BURSAR__V1__ROLE__ROLE_OPERATOR && option_given(cli, "tenant")) {
		err_set(&cli->err, ERR_INVALID,
			"--tenant: an operator's key is for all tenants; 'bursar key create admin --tenant %s' creates "
			"a key for this one",
			option_text(cli, "tenant"));
		return cli_usage(cli);
	}
	if (request.role != BURSAR__V1__ROLE__ROLE_OPERATOR)
		request.tenant = (char *)option_text(cli, "tenant");
	request.reason = (char *)option_text(cli, "reason");
	request.label = (char *)option_text(cli, "label");
	request.account = (char *)option_text(cli, "user");
	if (option_given(cli, "expires"))
		request.expires_at_us = clock_wall_us() + option_number(cli, "expires", 0);
	request.interfaces = (char **)option_list(cli, "interface", &request.n_interfaces);
	request.addresses = (char **)option_list(cli, "address", &request.n_addresses);
	return cli_show(cli, BURSAR_CREATE_KEY, &request, show_new);
}
static void key_cells(struct table *table, const void *message)
{
	const Bursar__V1__ApiKey *key = message;
	struct buf text = {0};

	table_cell(table, "%" PRId64, key->id);
	table_cell(table, "%s", key->prefix);
	put_role(&text, key);
	table_cell_buf(table, &text);
	table_cell(table, "%s", key->tenant[0] ? key->tenant : "all");
	table_cell(table, "%s", key->label);
	table_cell(table, "%s", state_word(key));
	put_when(&text, key->expires_at_us, "never");
	table_cell_buf(table, &text);
	put_when(&text, key->last_used_at_us, "never");
	table_cell_buf(table, &text);
	table_cell(table, "%s", key->last_used_from);
	buf_release(&text);
}

static void show_list(struct cli *cli, const Bursar__V1__ListKeysResponse *answer)
{
	static const char *const columns[] = {
		">KEY", "PREFIX", "~ROLE", "~TENANT", "~LABEL", "STATE", "~EXPIRES", "~LAST USED", "~FROM", NULL};

	view_rows(cli, columns, answer->keys, answer->n_keys, key_cells,
		option_given(cli, "all-tenants")
			? "no keys"
			: "no keys of this tenant (operators' keys belong to none: use --all-tenants)");
}

static int run_list(struct cli *cli)
{
	Bursar__V1__ListKeysRequest request = BURSAR__V1__LIST_KEYS_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.all_tenants = option_given(cli, "all-tenants");
	request.ended_too = option_given(cli, "ended");
	return cli_show_pages(cli, BURSAR_LIST_KEYS, &request, 100, show_list);
}

/* Reads the first argument, a key's number. */
static bool read_id(struct cli *cli, int64_t *id)
{
	char *end;

	*id = strtoll(cli_arg(cli, 0), &end, 10);
	if (*end == '\0' && *id > 0)
		return true;
	return err_set(
		&cli->err, ERR_INVALID, "'%s' is not a key's number: 'bursar key list' shows them", cli_arg(cli, 0));
}

static int run_rotate(struct cli *cli)
{
	Bursar__V1__RotateKeyRequest request = BURSAR__V1__ROTATE_KEY_REQUEST__INIT;

	if (!read_id(cli, &request.id))
		return cli_usage(cli);
	request.reason = (char *)option_text(cli, "reason");
	if (option_given(cli, "expires"))
		request.expires_at_us = clock_wall_us() + option_number(cli, "expires", 0);
	if (option_given(cli, "overlap")) {
		request.overlap_given_case = BURSAR__V1__ROTATE_KEY_REQUEST__OVERLAP_GIVEN_OVERLAP_US;
		request.overlap_us = option_number(cli, "overlap", 0);
	}
	return cli_show(cli, BURSAR_ROTATE_KEY, &request, show_new);
}

static int run_revoke(struct cli *cli)
{
	Bursar__V1__RevokeKeyRequest request = BURSAR__V1__REVOKE_KEY_REQUEST__INIT;

	if (!read_id(cli, &request.id))
		return cli_usage(cli);
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_REVOKE_KEY, &request, show_key);
}

#define OPTION_ALL_TENANTS \
	{ \
		'\0', "all-tenants", OPTION_FLAG, NULL, "all tenants (operators only)", NULL \
	}
#define OPTION_LIMIT \
	{ \
		'\0', "limit", OPTION_SOME, "N", "the maximum number of keys to show (default: 100)", NULL \
	}
#define OPTION_EXPIRES \
	{ \
		'\0', "expires", OPTION_DURATION, "DURATION", "how long until the key expires (default: never)", NULL \
	}

static const struct command commands[] = {
	{
		COMMAND("key create", "ROLE", "create an API key for a user, bot, viewer, admin or operator",
			run_create),
		.about = "The key is shown only this once; the server keeps its hash. Once a key exists, every call "
			 "needs one, so the first must be an operator's.",
		.options = {OPTION_TENANT, OPTION_REASON,
			{'l', "label", OPTION_TEXT, "TEXT", "a name for people", NULL},
			{'u', "user", OPTION_TEXT, "USER", "the user whose status a key with the role user shows",
				NULL},
			OPTION_EXPIRES,
			{'i', "interface", OPTION_LIST, "NAME",
				"allow only requests from this interface; may be repeated (default: any)", NULL},
			{'\0', "address", OPTION_LIST, "NETWORK",
				"allow only callers from this network, such as 10.0.0.0/8; may be repeated (default: "
				"any)",
				NULL}},
		.examples = {"key create operator --label ops",
			"key create bot --tenant acme --label telegram --interface telegram --expires 90d",
			"key create user --user alice --expires 1h"},
	},
	{
		COMMAND("key list", "", "list API keys and when they were last used", run_list),
		.about = "The keys themselves are never shown: PREFIX is how each begins.",
		.options = {OPTION_TENANT, OPTION_ALL_TENANTS,
			{'\0', "ended", OPTION_FLAG, NULL, "include revoked and expired keys", NULL}, OPTION_LIMIT},
		.examples = {"key list", "key list --all-tenants --ended"},
	},
	{
		COMMAND("key rotate", "KEY", "create a key with the same rights, and let the old one expire",
			run_rotate),
		.about =
			"Both keys work until the overlap has passed, so that there is time to distribute the new one.",
		.options = {OPTION_REASON,
			{'\0', "overlap", OPTION_DURATION, "DURATION",
				"how long the old key still works (default: 24h)", NULL},
			OPTION_EXPIRES},
		.examples = {"key rotate 7", "key rotate 7 --overlap 1h --reason 'quarterly'"},
	},
	{
		COMMAND("key revoke", "KEY", "revoke a key now", run_revoke),
		.about = "Every bursard refuses it within a second. The last operator's key cannot be revoked.",
		.options = {OPTION_REASON},
		.examples = {"key revoke 7 --reason 'was in a public repository'"},
	},
};

const struct command_group key_commands = {"Keys", commands, sizeof(commands) / sizeof(*commands)};
