/* whoami, dashboard (commands.h): who the server takes you for, and a login to the dashboard. */
#include "cli/cmd/commands.h"

#include <inttypes.h>
#include <string.h>

#include "cli/common/view.h"
#include "cli/text/format.h"

static const char *way_of(const Bursar__V1__Caller *caller)
{
	switch (caller->by) {
	case BURSAR__V1__CALLER_BY__CALLER_BY_NOTHING:
		return "no key exists yet: everybody on the server's machine is an operator";
	case BURSAR__V1__CALLER_BY__CALLER_BY_KEY:
		return "key";
	case BURSAR__V1__CALLER_BY__CALLER_BY_CERTIFICATE:
		return "certificate";
	default:
		return "session";
	}
}

static void show_caller(struct cli *cli, const Bursar__V1__Caller *caller)
{
	struct buf text = {0};

	put_enum(&text, &bursar__v1__role__descriptor, (int)caller->role, "ROLE_");
	view_field_buf(cli, "role", &text);
	view_field(cli, "tenant", "%s", caller->tenant[0] ? caller->tenant : "all");
	if (caller->user[0])
		view_field(cli, "user", "%s", caller->user);
	for (size_t i = 0; i < caller->n_interfaces; i++)
		buf_putf(&text, "%s%s", i ? ", " : "", caller->interfaces[i]);
	if (text.len)
		view_field_buf(cli, "interfaces", &text);
	view_field(cli, "by", "%s", way_of(caller));
	if (caller->key_id)
		view_field(cli, "key", "%" PRId64, caller->key_id);
	if (caller->label[0])
		view_field(cli, "label", "%s", caller->label);
	if (caller->expires_at_us) {
		put_time(&text, caller->expires_at_us);
		view_field_buf(cli, "expires", &text);
	}
	buf_release(&text);
}

static int run_whoami(struct cli *cli)
{
	Bursar__V1__GetCallerRequest request = BURSAR__V1__GET_CALLER_REQUEST__INIT;

	return cli_show(cli, BURSAR_GET_CALLER, &request, show_caller);
}

static void show_login(struct cli *cli, const Bursar__V1__CreateLoginResponse *answer)
{
	const char *url = option_given(cli, "url") ? option_text(cli, "url") : "http://127.0.0.1:7421";
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/')
		len--;
	buf_putf(&cli->out, "%.*s%s\n", (int)len, url, answer->path);
	if (!answer->code[0]) {
		buf_put_str(&cli->out, "No login is needed, because no key exists yet.\n");
		return;
	}
	buf_put_str(&cli->out, "The link logs you in once, with the rights of your key, until ");
	put_time(&cli->out, answer->expires_at_us);
	buf_put_str(&cli->out, ".\n");
}

static int run_dashboard(struct cli *cli)
{
	Bursar__V1__CreateLoginRequest request = BURSAR__V1__CREATE_LOGIN_REQUEST__INIT;

	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_CREATE_LOGIN, &request, show_login);
}

static const struct command commands[] = {
	{
		COMMAND("dashboard", "", "print a link that logs you in to the dashboard", run_dashboard),
		.about =
			"The link works once, within ten minutes. The session has the rights of your key and ends with it.",
		.options = {OPTION_REASON,
			{'\0', "url", OPTION_TEXT, "URL",
				"the address of the dashboard (default: http://127.0.0.1:7421)", NULL}},
		.examples = {"dashboard", "dashboard --url https://bursar.example"},
	},
	{
		COMMAND("whoami", "", "show who the server takes you for", run_whoami),
		.examples = {"whoami", "whoami --json"},
	},
};

const struct command_group dashboard_commands = {"Dashboard", commands, sizeof(commands) / sizeof(*commands)};
