/* export, apply (commands.h): a tenant as a document that can be kept and reviewed like code. */
#include "cli/cmd/admin/admin.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cli/common/confirm.h"
#include "cli/encoding/yaml_write.h"
#include "cli/fleet/fleet.h"
#include "cli/text/file.h"

enum { PATIENCE_US = 60000000 };

static int run_export(struct cli *cli)
{
	Bursar__V1__ExportRequest request = BURSAR__V1__EXPORT_REQUEST__INIT;
	int code;

	request.tenant = (char *)option_text(cli, "tenant");
	Bursar__V1__TenantDocument *document = cli_call(cli, BURSAR_EXPORT, &request, &code);
	if (!document)
		return code;
	json_t *root = fleet_json(document);
	if (cli->json) {
		char *text = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		buf_putf(&cli->out, "%s\n", text);
		free(text);
	} else {
		buf_putf(&cli->out,
			"# Tenant %s: settings, tiers, pools, shared accounts, texts, aliases, families and alerts, without\n# its "
			"users and the secrets of channels. Edit it, then see what 'bursar apply -f FILE' would change.\n# Entries are "
			"complete: a setting that an entry leaves out gets its default. Entries that are left\n# out stay as they are, "
			"except with --prune.\n",
			document->tenant->id);
		yaml_put(&cli->out, root);
	}
	json_decref(root);
	bursar_free(document);
	return EXIT_DONE;
}

/* Reports an error in the document with its place in the file. */
static int apply_failed(struct cli *cli, const struct fleet *fleet, const struct bursar_error *error)
{
	const struct fleet_place *place = error->from_server ? fleet_find(fleet, error->field) : NULL;

	if (!place)
		return cli_failed(cli, error);
	fprintf(stderr, "bursar: %s:%d:%d: %s: %s\n  Nothing was changed.\n", option_text(cli, "file"), place->line,
		place->column, place->path, error->message);
	return EXIT_REFUSED;
}

static Bursar__V1__ApplyResponse *apply_call(
	struct cli *cli, const struct fleet *fleet, const Bursar__V1__ApplyRequest *request, int *code)
{
	int64_t patience_us = option_number(cli, "timeout", PATIENCE_US);
	struct bursar_error error;
	/* Not repeated: after a lost answer it is unknown whether the call took effect. */
	struct bursar *bursar = cli_open(
		cli, (struct bursar_options){.timeout_us = patience_us, .attempt_us = patience_us, .attempts = 1});
	Bursar__V1__ApplyResponse *answer = bursar_apply(bursar, request, &error);

	if (!answer)
		*code = apply_failed(cli, fleet, &error);
	return answer;
}

static void show_end(struct cli *cli, const Bursar__V1__ApplyResponse *answer)
{
	if (cli_json(cli, answer))
		return;
	buf_putf(&cli->out, "applied: %zu change%s%s\n", answer->n_changes, answer->n_changes == 1 ? "" : "s",
		answer->pending ? "; committed, and retried until the store has all of it" : "");
}

/* Previews the changes, shows them, asks, and applies what was shown. */
static int apply_fleet(struct cli *cli, const struct fleet *fleet, Bursar__V1__ApplyRequest *request)
{
	Bursar__V1__ApplyResponse *answer;
	char question[64];
	int code = EXIT_DONE;

	request->dry_run = true;
	answer = apply_call(cli, fleet, request, &code);
	if (!answer)
		return code;
	if (!cli->json && answer->n_changes > 0)
		fleet_show(cli, answer);
	snprintf(question, sizeof(question), "Apply %zu change%s?", answer->n_changes,
		answer->n_changes == 1 ? "" : "s");
	if (option_given(cli, "dry-run") || answer->n_changes == 0) {
		if (!cli_json(cli, answer) && answer->n_changes == 0)
			buf_putf(&cli->out, "nothing to change: the tenant already matches %s\n",
				option_text(cli, "file"));
	} else if (cli_confirm(cli, question, &code)) {
		char *fingerprint = strdup(answer->fingerprint);

		cli_busy("applying", answer->n_changes, "changes");
		request->dry_run = false;
		request->expected = fingerprint;
		bursar_free(answer);
		answer = apply_call(cli, fleet, request, &code);
		if (answer)
			show_end(cli, answer);
		free(fingerprint);
	}
	bursar_free(answer);
	return code;
}

/* The document of -f; false with cli->err, which names the file. */
static bool read_file(struct cli *cli, struct fleet *fleet)
{
	const char *path = option_text(cli, "file");
	struct buf text = {0};
	struct yaml *root = NULL;
	bool ok = false;

	if (!option_given(cli, "file"))
		return err_set(
			&cli->err, ERR_INVALID, "-f FILE is missing: pass a document, as 'bursar export' writes it");
	if (file_read(path, &text, &cli->err)) {
		root = yaml_tree_parse(buf_str(&text), text.len, YAML_BYTES_MAX, &cli->err);
		ok = root && fleet_read(root, fleet, &cli->err);
		if (!ok)
			err_prefix(&cli->err, "%.80s:", path);
	}
	yaml_tree_free(root);
	buf_release(&text);
	return ok;
}

/* Sets the tenant that the document is applied to; false with cli->err. */
static bool name_tenant(struct cli *cli, const struct fleet *fleet, Bursar__V1__ApplyRequest *request)
{
	request->tenant = option_given(cli, "tenant") ? (char *)option_text(cli, "tenant") : fleet->tenant;
	if (!request->tenant || !request->tenant[0])
		return err_set(&cli->err, ERR_INVALID, "%.80s: names no tenant; add 'tenant: NAME', or pass --tenant",
			option_text(cli, "file"));
	assert(fleet->document);
	Bursar__V1__Tenant *settings = fleet->document->tenant;
	if (settings && !(settings->id = strdup(request->tenant)))
		mem_exhausted(strlen(request->tenant) + 1);
	return true;
}

static int run_apply(struct cli *cli)
{
	Bursar__V1__ApplyRequest request = BURSAR__V1__APPLY_REQUEST__INIT;
	struct fleet fleet = {0};
	int code;

	if (!option_given(cli, "file")) {
		err_set(&cli->err, ERR_INVALID, "-f FILE is missing: pass a document, as 'bursar export' writes it");
		return cli_usage(cli);
	}
	if (read_file(cli, &fleet) && name_tenant(cli, &fleet, &request)) {
		request.document = fleet.document;
		request.prune = option_given(cli, "prune");
		request.reason = (char *)option_text(cli, "reason");
		code = apply_fleet(cli, &fleet, &request);
	} else {
		fprintf(stderr, "bursar: %s\n  Nothing was changed.\n", cli->err.text);
		code = EXIT_USAGE;
	}
	fleet_release(&fleet);
	return code;
}

static const struct command commands[] = {
	{
		COMMAND("export", "",
			"print a tenant as a document: settings, tiers, pools, shared accounts, texts, aliases, families, alerts",
			run_export),
		.about = "Prints YAML, or JSON with --json, without the tenant's users. 'bursar apply' reads it; "
			 "applied unchanged, it changes nothing.",
		.options = {OPTION_TENANT},
		.examples = {"export --tenant acme > fleet.yaml", "export --json"},
	},
	{
		COMMAND("apply", "",
			"make a tenant match a document, completely or not at all; shows the changes first", run_apply),
		.about =
			"Shows what would be added, changed and removed, and asks. Entries are complete: a setting "
			"that an entry leaves out gets its default. Sections and entries that the document leaves out "
			"stay as they are; with --prune, the tenant's own tiers among them, its texts, its aliases and "
			"its families are deleted, and shared accounts lose their tier, org and limits; if the document has alerts, so are "
			"the tenant's other channels and rules. A channel keeps its secrets, which no document holds: create it with "
			"'bursar alert channel put' first. If somebody else makes a change before you "
			"confirm, the command is refused. See LIMITS for the syntax of a limit.",
		.options = {{'f', "file", OPTION_FILE, "FILE", "the document, YAML or JSON (- is standard input)",
				    NULL},
			{'t', "tenant", OPTION_TEXT, "TENANT",
				"the tenant to change (default: the one in the document)", NULL},
			{'\0', "prune", OPTION_FLAG, NULL, "remove what the document leaves out", NULL},
			{'\0', "dry-run", OPTION_FLAG, NULL, "show what would change, even with --yes", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "do not ask", NULL}, OPTION_REASON},
		.examples = {"apply -f fleet.yaml --dry-run", "apply -f fleet.yaml --yes --reason 'review 42'",
			"apply -f fleet.yaml --prune", "apply -f fleet.yaml --tenant acme-test"},
	},
};

const struct command_group document_commands = {"Documents", commands, sizeof(commands) / sizeof(*commands)};
