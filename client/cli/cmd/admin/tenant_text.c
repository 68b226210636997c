/* tenant text ... (commands.h): a tenant's own templates of the sentences for users. */
#include "cli/cmd/admin/admin.h"

#include <string.h>

#include "cli/common/view.h"

static void put_placeholders(struct buf *out, const Bursar__V1__Text *text)
{
	for (size_t i = 0; i < text->n_placeholders; i++)
		buf_putf(out, "%s{%s}", i > 0 ? " " : "", text->placeholders[i]);
	if (!text->n_placeholders)
		buf_put_str(out, "none");
}

static void show_text(struct cli *cli, const Bursar__V1__Text *text)
{
	struct buf list = {0};

	buf_putf(&cli->out, "text %s in %s%s\n", text->code, text->language, text->shipped ? "  (built in)" : "");
	view_field(cli, "text", "%s", text->text);
	put_placeholders(&list, text);
	view_field_buf(cli, "may hold", &list);
	buf_release(&list);
}
static void text_cells(struct table *table, const void *message)
{
	const Bursar__V1__Text *text = message;

	table_cell(table, "%s", text->code);
	table_cell(table, "%s", text->language);
	table_cell(table, "%s", text->shipped ? "built in" : "tenant");
	table_cell(table, "%s", text->text);
}

static void list_texts(struct cli *cli, const Bursar__V1__ListTextsResponse *answer)
{
	static const char *const columns[] = {"CODE", "LANGUAGE", "FROM", "~TEXT", NULL};

	view_rows(cli, columns, answer->texts, answer->n_texts, text_cells,
		option_given(cli, "built-in") ? "no texts"
					      : "no texts of the tenant's own; --built-in shows the built-in ones");
	if (cli_arg(cli, 0)[0] && answer->n_texts > 0) {
		buf_put_str(&cli->out, "may hold: ");
		put_placeholders(&cli->out, answer->texts[0]);
		buf_put_str(&cli->out, "\n");
	}
}
static int run_list(struct cli *cli)
{
	Bursar__V1__ListTextsRequest request = BURSAR__V1__LIST_TEXTS_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.code = (char *)cli_arg(cli, 0);
	request.language = (char *)option_text(cli, "language");
	request.shipped = option_given(cli, "built-in");
	return cli_show(cli, BURSAR_LIST_TEXTS, &request, list_texts);
}

static int run_put(struct cli *cli)
{
	Bursar__V1__PutTextRequest request = BURSAR__V1__PUT_TEXT_REQUEST__INIT;
	Bursar__V1__Text text = BURSAR__V1__TEXT__INIT;

	text.tenant = (char *)option_text(cli, "tenant");
	text.code = (char *)cli_arg(cli, 0);
	text.language = (char *)cli_arg(cli, 1);
	text.text = (char *)cli_arg(cli, 2);
	request.text = &text;
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_PUT_TEXT, &request, show_text);
}
static void show_deleted(struct cli *cli, const Bursar__V1__DeleteTextResponse *answer)
{
	buf_putf(&cli->out, "deleted text %s in %s%s\n", cli_arg(cli, 0), cli_arg(cli, 1),
		answer->text ? "; used instead:" : "");
	if (answer->text)
		show_text(cli, answer->text);
}

static int run_delete(struct cli *cli)
{
	Bursar__V1__DeleteTextRequest request = BURSAR__V1__DELETE_TEXT_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.code = (char *)cli_arg(cli, 0);
	request.language = (char *)cli_arg(cli, 1);
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_DELETE_TEXT, &request, show_deleted);
}

static const struct command commands[] = {
	{
		COMMAND("tenant text list", "[CODE]", "list a tenant's own texts for users", run_list),
		.about =
			"With CODE, only its texts, and the placeholders that they may contain. The CODEs are listed by "
			"--built-in: the reasons of denials (quota, budget, suspended, ...) and the sentences that may "
			"follow them (wait, upgrade, ...). 'reached' applies to each reason without a text of its own.",
		.options = {OPTION_TENANT,
			{'\0', "language", OPTION_TEXT, "LANGUAGE", "only texts in this language, such as de", NULL},
			{'\0', "built-in", OPTION_FLAG, NULL,
				"show also the built-in texts that the tenant has not replaced", NULL}},
		.examples = {"tenant text list", "tenant text list quota --built-in",
			"tenant text list --built-in --language de"},
	},
	{
		COMMAND("tenant text put", "CODE LANGUAGE TEXT", "set a tenant's own text for users", run_put),
		.about =
			"TEXT is one or two sentences, in which {amount}, {wait} and so on are filled in. 'tenant text "
			"list CODE --built-in' shows the placeholders of a CODE. {{ and }} are braces. A user whose "
			"language is de-AT gets the text in de-AT, else in de, else the built-in one. Takes effect "
			"within a second.",
		.options = {OPTION_TENANT, OPTION_REASON},
		.examples = {"tenant text put wait en 'Come back in {wait}.'",
			"tenant text put quota de '{amount} {per} sind verbraucht. Mehr: https://acme.example/plus' "
			"--tenant acme"},
	},
	{
		COMMAND("tenant text delete", "CODE LANGUAGE",
			"delete a tenant's own text; the built-in one is used again", run_delete),
		.options = {OPTION_TENANT, OPTION_REASON},
		.examples = {"tenant text delete wait en"},
	},
};

const struct command_group text_commands = {"Texts for users", commands, sizeof(commands) / sizeof(*commands)};
