/* The page of paths: docs/http-paths.md. */
#include <string.h>

#include "api/rest/parameters.h"
#include "api/rest/rest.h"

/* The part of a path that its group is called by: "accounts". */
static size_t group_len(const char *path)
{
	return strcspn(path + strlen("/v1/"), "/");
}

static bool same_group(const char *a, const char *b)
{
	return group_len(a) == group_len(b) && strncmp(a, b, strlen("/v1/") + group_len(a)) == 0;
}

static bool is_admin(const struct rest_row *row)
{
	return strstr(row->rpc, ".Admin/") != NULL;
}

static void put_heading(const struct rest_row *row, const struct rest_row *before, struct buf *out)
{
	const char *word = row->path + strlen("/v1/");

	if (before && is_admin(before) == is_admin(row) && (!is_admin(row) || same_group(before->path, row->path)))
		return;
	if (is_admin(row))
		buf_putf(out, "\n## %.*s\n\n", (int)group_len(row->path), word);
	else
		buf_put_str(out, "\n## For bots\n\n");
	buf_put_str(out, "| method and path | RPC | body | query |\n|---|---|---|---|\n");
}

static void put_query(const struct rest_row *row, struct buf *out)
{
	struct rest_parameter known[REST_PARAMETERS_MAX];
	size_t count = rest_parameters(row, known), put = 0;

	for (size_t i = 0; i < count; i++)
		buf_putf(out, "%s`%s`", put++ ? ", " : "", known[i].field->name);
	for (size_t i = 0; i < rest_extras_count; i++)
		if (strcmp(rest_extras[i].path, row->path) == 0)
			buf_putf(out, "%s`%s`", put++ ? ", " : "", rest_extras[i].name);
}

static void put_row(const struct rest_row *row, struct buf *out)
{
	char path[REST_SHOWN_MAX];

	buf_putf(out, "| `%s %s` | %s%s | ", row->method, rest_shown(row, path), strrchr(row->rpc, '/') + 1,
		row->stream ? " (a stream)" : "");
	if (row->body && strcmp(row->body, "*") == 0)
		buf_put_str(out, rest_rpc(row)->input->short_name);
	else if (row->body)
		buf_putf(out, "its `%s`", row->body);
	buf_put_str(out, " | ");
	put_query(row, out);
	buf_put_str(out, " |\n");
}

static void put_others(struct buf *out)
{
	buf_put_str(out,
		"\n## Other paths\n\n"
		"RPCs in other words, from `server/api/rest/others.def`: for [proxies](proxies.md), which ask with any method, "
		"and for\n[web front ends](quotas-api.md).\n\n"
		"| method and path | RPC |\n|---|---|\n");
	for (size_t i = 0; i < REST_OTHERS; i++)
		buf_putf(out, "| `%s %s` | %s |\n", rest_others[i].row.method, rest_others[i].row.path,
			rest_others[i].kind == REST_QUOTAS && strcmp(rest_others[i].row.method, "POST") == 0
				? "SetTier, Reset, Suspend, Unsuspend or SetGrace, by the `action` of the body"
				: rest_rpc_name(&rest_others[i].row));
}

void rest_print_docs(struct buf *out)
{
	buf_put_str(out,
		"# Paths of the HTTP interface\n\n"
		"Made by `bursard --print-paths` from `server/api/rest/paths.def`; change that table, not this page.\n\n"
		"Each path runs one RPC of [the API](api.md), with its rights, its answers and its errors. `/docs` shows "
		"all\n"
		"fields, from `/openapi.json` (`bursard --print-openapi`). What a path names, such as `{id}`, is a field of the "
		"request,\n"
		"percent-encoded: `/v1/accounts/team/a%2Fb` is the team `a/b`. `{kind}` is `user`, `team`, `org`, `model` "
		"or\n"
		"`tenant`. The body is the rest of the request as JSON, or the field that the table says; without a body, "
		"its\n"
		"fields are query parameters. `?tenant=` works wherever a path names something of a tenant.\n\n"
		"GET reads. PUT replaces the whole. PATCH keeps what it does not name, and creates what does not exist. "
		"DELETE\n"
		"takes away. POST to a collection adds to it, and what is done to one thing is a word after it:\n"
		"`POST /v1/accounts/user/alice/suspend`.\n");
	for (size_t i = 0; i < rest_rows_count; i++) {
		put_heading(&rest_rows[i], i ? &rest_rows[i - 1] : NULL, out);
		put_row(&rest_rows[i], out);
	}
	put_others(out);
}
