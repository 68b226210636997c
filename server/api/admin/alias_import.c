/* Imports lists of aliases (api/admin/private.h). */
#include <stdlib.h>
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"

static Bursar__V1__AliasChange *change_message(struct arena *arena, const struct alias_put_row *row)
{
	static const Bursar__V1__ChangeKind kinds[] = {[ALIAS_SAME] = BURSAR__V1__CHANGE_KIND__CHANGE_KIND_SAME,
		[ALIAS_NEW] = BURSAR__V1__CHANGE_KIND__CHANGE_KIND_ADDED,
		[ALIAS_MOVED] = BURSAR__V1__CHANGE_KIND__CHANGE_KIND_CHANGED};
	Bursar__V1__AliasChange *message = message_new(arena, AliasChange, alias_change);

	message->kind = kinds[row->change];
	if (row->change != ALIAS_NEW)
		message->before = admin_alias_message(arena, &row->before);
	message->after = admin_alias_message(arena, &row->alias);
	return message;
}

static void import_answer(struct call *call, const struct catalog_edit *edit)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ImportAliasesResponse *answer = message_new(arena, ImportAliasesResponse, import_aliases_response);
	const struct aliases_put *op = &edit->op.aliases;

	answer->changes = message_list(arena, (size_t)op->count);
	for (int i = 0; i < op->count; i++)
		answer->changes[answer->n_changes++] = change_message(arena, &op->row[i]);
	answer->imported = op->changed && !op->dry_run;
	call_reply_message(call, &answer->base);
}

ADMIN_EDIT_ANSWER(import_done, import_answer)

static int compare_rows(const void *a, const void *b)
{
	const struct price_alias *x = a, *y = b;
	int order = strcmp(x->alias, y->alias);

	return order ? order : strcmp(x->tenant, y->tenant);
}

bool admin_aliases_differ(struct arena *arena, const struct price_alias *aliases, int count, struct err *err)
{
	struct price_alias *sorted = arena_zalloc(arena, (size_t)count + 1, sizeof(*sorted));

	memcpy(sorted, aliases, (size_t)count * sizeof(*sorted));
	qsort(sorted, (size_t)count, sizeof(*sorted), compare_rows);
	for (int i = 1; i < count; i++)
		if (compare_rows(&sorted[i], &sorted[i - 1]) == 0)
			return err_invalid(err, "aliases", "%s is listed twice", sorted[i].alias);
	return true;
}

static bool import_read(const Bursar__V1__ImportAliasesRequest *request, const struct catalog *catalog, int64_t now_us,
	struct arena *arena, struct aliases_put *op, struct err *err)
{
	struct price_alias *aliases = arena_zalloc(arena, request->n_aliases, sizeof(*aliases));

	op->count = (int)request->n_aliases;
	op->row = arena_zalloc(arena, request->n_aliases, sizeof(*op->row));
	for (int i = 0; i < op->count; i++) {
		const Bursar__V1__Alias *message = request->aliases[i];
		const char *tenant = request->tenant[0] ? request->tenant : message->tenant;

		if (!admin_alias_kept(message, tenant, catalog, arena, &aliases[i]) &&
			!admin_alias_read(message, tenant, catalog, now_us, arena, &aliases[i], err))
			return err_prefix(err, "aliases[%d].", i);
		op->row[i].alias = aliases[i];
	}
	op->dry_run = request->dry_run;
	return admin_aliases_differ(arena, aliases, op->count, err);
}

void admin_import_aliases(struct call *call, void *ctx)
{
	struct admin_edit *import = admin_edit_new(call, EDIT_ALIASES);
	struct err err;
	struct snapshot *snapshot;
	const Bursar__V1__ImportAliasesRequest *request =
		request_read(call, &bursar__v1__import_aliases_request__descriptor, &err);
	bool fits;

	if (!request || !(snapshot = snapshot_take(ctx, &err))) {
		call_fail(call, &err);
		return;
	}
	fits = import_read(
		request, snapshot->catalog, worker_now_us(ctx), call_arena(call), &import->edit.op.aliases, &err);
	snapshot_give(ctx, snapshot);
	if (!fits) {
		call_fail(call, &err);
		return;
	}
	admin_edit_start(import, ctx, request->reason, import_done);
}
