/* Aliases and families of models (api/admin/private.h): written through service/catalog, read from the newest snapshot. */
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "service/request/pricing.h"

static void copy(char to[ID_MAX + 1], const char *from)
{
	memcpy(to, from, strlen(from) + 1);
}

static bool is_priced(const struct catalog *catalog, const char *tenant, const char *provider, const char *model,
	struct arena *arena, int64_t now_us)
{
	const char *name = arena_printf(arena, "%s/%s", provider, model);
	bool several;

	return price_find_id(catalog_prices(catalog), tenant, name, now_us, &several) != NULL;
}

/* Finds the model that a put means, by any of its names, in the prices of everybody the rule is for. */
static const struct price *target_find(const struct catalog *catalog, const char *tenant, const char *provider,
	const char *model, const char *field, struct arena *arena, int64_t now_us, struct err *err)
{
	const struct pricing pricing = {.catalog = catalog, .tenant = tenant, .user = ""};
	const char *name = provider[0] ? arena_printf(arena, "%s/%s", provider, model) : model;

	if (!price_known(&pricing, name, field, now_us, err))
		return NULL;
	return price_find(catalog_prices(catalog), tenant, "", name, now_us);
}

/* An alias that is itself the id of one model would never be looked at. */
static bool alias_is_free(const struct catalog *catalog, const struct price_alias *alias, const char *field,
	int64_t now_us, struct err *err)
{
	bool several;
	const struct price *own = price_find_id(catalog_prices(catalog), alias->tenant, alias->alias, now_us, &several);

	if (!own || several || (strcmp(own->provider, alias->provider) == 0 && strcmp(own->model, alias->model) == 0))
		return true;
	err_invalid(err, field, "is the id of a model with a price, %s/%s, which goes before any alias", own->provider,
		own->model);
	return err_reason(err, "ALIAS_IS_MODEL");
}

bool admin_alias_kept(const Bursar__V1__Alias *message, const char *tenant, const struct catalog *catalog,
	struct arena *arena, struct price_alias *out)
{
	const struct price_alias *alias = price_alias_of(catalog_prices(catalog), tenant, message->name);
	const char *model;

	if (!alias)
		return false;
	model = message->provider[0] ? alias->model : arena_printf(arena, "%s/%s", alias->provider, alias->model);
	if ((message->provider[0] && strcmp(message->provider, alias->provider) != 0) ||
		strcmp(message->model, model) != 0)
		return false;
	*out = *alias;
	return true;
}

bool admin_alias_read(const Bursar__V1__Alias *message, const char *tenant, const struct catalog *catalog,
	int64_t now_us, struct arena *arena, struct price_alias *out, struct err *err)
{
	const struct price *target =
		target_find(catalog, tenant, message->provider, message->model, "model", arena, now_us, err);

	if (!target)
		return false;
	copy(out->tenant, tenant);
	copy(out->alias, message->name);
	copy(out->provider, target->provider);
	copy(out->model, target->model);
	return alias_is_free(catalog, out, "name", now_us, err);
}

Bursar__V1__Alias *admin_alias_message(struct arena *arena, const struct price_alias *alias)
{
	Bursar__V1__Alias *message = message_new(arena, Alias, alias);

	message->tenant = unconst(alias->tenant);
	message->name = unconst(alias->alias);
	message->provider = unconst(alias->provider);
	message->model = unconst(alias->model);
	return message;
}

static void alias_put_answer(struct call *call, const struct catalog_edit *edit)
{
	Bursar__V1__Alias *answer = admin_alias_message(call_arena(call), &edit->op.alias.alias);

	answer->priced = true;
	call_reply_message(call, &answer->base);
}

ADMIN_EDIT_ANSWER(alias_put_done, alias_put_answer)

void admin_put_alias(struct call *call, void *ctx)
{
	struct admin_edit *put = admin_edit_new(call, EDIT_ALIAS);
	struct err err;
	struct snapshot *snapshot;
	const Bursar__V1__PutAliasRequest *request =
		request_read(call, &bursar__v1__put_alias_request__descriptor, &err);
	bool fits;

	if (!request || !(snapshot = snapshot_take(ctx, &err))) {
		call_fail(call, &err);
		return;
	}
	fits = admin_alias_read(request->alias, request->alias->tenant, snapshot->catalog, worker_now_us(ctx),
		call_arena(call), &put->edit.op.alias.alias, &err);
	snapshot_give(ctx, snapshot);
	if (!fits) {
		err_prefix(&err, "alias.");
		call_fail(call, &err);
		return;
	}
	admin_edit_start(put, ctx, request->reason, alias_put_done);
}

static void alias_delete_answer(struct call *call, const struct catalog_edit *edit)
{
	call_reply_message(call, &admin_alias_message(call_arena(call), &edit->op.alias_delete.alias)->base);
}

ADMIN_EDIT_ANSWER(alias_delete_done, alias_delete_answer)

void admin_delete_alias(struct call *call, void *ctx)
{
	struct admin_edit *gone = admin_edit_new(call, EDIT_ALIAS_DELETE);
	struct price_alias *alias = &gone->edit.op.alias_delete.alias;
	const Bursar__V1__DeleteAliasRequest *request =
		request_take(call, &bursar__v1__delete_alias_request__descriptor);

	if (!request)
		return;
	copy(alias->tenant, request->tenant);
	copy(alias->alias, request->name);
	admin_edit_start(gone, ctx, request->reason, alias_delete_done);
}

/* What a page of aliases is chosen by. */
struct aliases_page {
	const Bursar__V1__ListAliasesRequest *request;
	const char *tenant;
	const struct price *only; /* aliases of this model; NULL: of any */
	int size;
};

static bool is_wanted(const struct aliases_page *page, const struct price_alias *alias)
{
	const char *prefix = page->request->prefix;

	return (!alias->tenant[0] || strcmp(alias->tenant, page->tenant) == 0) &&
	       strcmp(alias->alias, page->request->page_token) > 0 &&
	       strncmp(alias->alias, prefix, strlen(prefix)) == 0 &&
	       (!page->only || (strcmp(alias->provider, page->only->provider) == 0 &&
				       strcmp(alias->model, page->only->model) == 0));
}

/* A page ends between two names, so that the general alias and the tenant's of one name are never parted. */
static Bursar__V1__ListAliasesResponse *aliases_list(
	const struct aliases_page *page, const struct catalog *catalog, struct arena *arena, int64_t now_us)
{
	Bursar__V1__ListAliasesResponse *answer = message_new(arena, ListAliasesResponse, list_aliases_response);
	int count;
	const struct price_alias *aliases = price_aliases(catalog_prices(catalog), &count);

	answer->aliases = message_list(arena, (size_t)page->size + 1);
	for (int i = 0; i < count; i++) {
		const struct price_alias *alias = &aliases[i];
		const char *last = answer->n_aliases ? answer->aliases[answer->n_aliases - 1]->name : "";
		Bursar__V1__Alias *message;

		if (!is_wanted(page, alias))
			continue;
		if ((int)answer->n_aliases >= page->size && strcmp(last, alias->alias) != 0) {
			answer->next_page_token = unconst(last);
			break;
		}
		message = admin_alias_message(arena, alias);
		message->priced = is_priced(catalog, page->tenant, alias->provider, alias->model, arena, now_us);
		answer->aliases[answer->n_aliases++] = message;
	}
	return answer;
}

void admin_list_aliases(struct call *call, void *ctx)
{
	const Bursar__V1__ListAliasesRequest *request =
		request_take(call, &bursar__v1__list_aliases_request__descriptor);
	struct snapshot *snapshot = request ? admin_snapshot(call, ctx) : NULL;
	struct aliases_page page = {.request = request};
	struct err err;
	bool found = true;

	if (!snapshot)
		return;
	page.tenant = tenant_or_default(request->tenant);
	page.size = admin_page(request->page_size, 100, 1000);
	if (request->model[0]) {
		page.only = target_find(snapshot->catalog, page.tenant, "", request->model, "model", call_arena(call),
			worker_now_us(ctx), &err);
		found = page.only != NULL;
	}
	if (found)
		call_reply_message(
			call, &aliases_list(&page, snapshot->catalog, call_arena(call), worker_now_us(ctx))->base);
	else
		call_fail(call, &err);
	snapshot_give(ctx, snapshot);
}

Bursar__V1__Family *admin_family_message(struct arena *arena, const struct price_family *family)
{
	Bursar__V1__Family *message = message_new(arena, Family, family);

	message->tenant = unconst(family->tenant);
	message->pattern = arena_printf(arena, "%s*", family->prefix);
	message->effective_from_us = family->from_us;
	message->provider = unconst(family->provider);
	message->model = unconst(family->model);
	return message;
}

static void family_put_answer(struct call *call, const struct catalog_edit *edit)
{
	Bursar__V1__Family *answer = admin_family_message(call_arena(call), &edit->op.family.family);

	answer->priced = true;
	call_reply_message(call, &answer->base);
}

ADMIN_EDIT_ANSWER(family_put_done, family_put_answer)

static bool family_read(const Bursar__V1__Family *message, const char *tenant, const struct catalog *catalog,
	int64_t now_us, struct arena *arena, struct price_family *out, struct err *err)
{
	const struct price *target;

	if (!price_family_prefix(message->pattern, "pattern", out->prefix, err))
		return false;
	target = target_find(catalog, tenant, message->provider, message->model, "model", arena, now_us, err);
	if (!target)
		return false;
	copy(out->tenant, tenant);
	out->from_us = message->effective_from_us;
	copy(out->provider, target->provider);
	copy(out->model, target->model);
	return true;
}

/* The tenant's rule that says so already, whether its model has a price or not. */
static const struct price_family *family_kept(const Bursar__V1__Family *message, const char *tenant,
	const struct catalog *catalog, struct arena *arena, const char *prefix)
{
	int count;
	const struct price_family *families = price_families(catalog_prices(catalog), &count);

	for (int i = 0; i < count; i++) {
		const struct price_family *family = &families[i];
		const char *model = message->provider[0]
					    ? family->model
					    : arena_printf(arena, "%s/%s", family->provider, family->model);

		if (strcmp(family->tenant, tenant) == 0 && strcmp(family->prefix, prefix) == 0 &&
			family->from_us == message->effective_from_us && strcmp(message->model, model) == 0 &&
			(!message->provider[0] || strcmp(message->provider, family->provider) == 0))
			return family;
	}
	return NULL;
}

bool admin_family_wanted(const Bursar__V1__Family *message, const char *tenant, const struct catalog *catalog,
	int64_t now_us, struct arena *arena, struct price_family *out, struct err *err)
{
	char prefix[ID_MAX + 1];
	const struct price_family *kept;

	if (!price_family_prefix(message->pattern, "pattern", prefix, err))
		return false;
	kept = family_kept(message, tenant, catalog, arena, prefix);
	if (!kept)
		return family_read(message, tenant, catalog, now_us, arena, out, err);
	*out = *kept;
	return true;
}

void admin_put_family(struct call *call, void *ctx)
{
	struct admin_edit *put = admin_edit_new(call, EDIT_FAMILY);
	struct family_put *op = &put->edit.op.family;
	struct err err;
	struct snapshot *snapshot;
	const Bursar__V1__PutFamilyRequest *request =
		request_read(call, &bursar__v1__put_family_request__descriptor, &err);
	bool fits;

	if (!request || !(snapshot = snapshot_take(ctx, &err))) {
		call_fail(call, &err);
		return;
	}
	op->now_us = worker_now_us(ctx);
	fits = family_read(request->family, request->family->tenant, snapshot->catalog, op->now_us, call_arena(call),
		&op->family, &err);
	snapshot_give(ctx, snapshot);
	if (!fits) {
		err_prefix(&err, "family.");
		call_fail(call, &err);
		return;
	}
	admin_edit_start(put, ctx, request->reason, family_put_done);
}

static void family_delete_answer(struct call *call, const struct catalog_edit *edit)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__DeleteFamilyResponse *answer = message_new(arena, DeleteFamilyResponse, delete_family_response);
	const struct family_delete *op = &edit->op.family_delete;

	admin_rows(arena, op, answer->families, answer->n_families, admin_family_message);
	call_reply_message(call, &answer->base);
}

ADMIN_EDIT_ANSWER(family_delete_done, family_delete_answer)

void admin_delete_family(struct call *call, void *ctx)
{
	struct admin_edit *gone = admin_edit_new(call, EDIT_FAMILY_DELETE);
	struct family_delete *op = &gone->edit.op.family_delete;
	char prefix[ID_MAX + 1];
	struct err err;
	const Bursar__V1__DeleteFamilyRequest *request =
		request_read(call, &bursar__v1__delete_family_request__descriptor, &err);

	if (!request || !price_family_prefix(request->pattern, "pattern", prefix, &err)) {
		call_fail(call, &err);
		return;
	}
	op->tenant = request->tenant;
	op->prefix = arena_strndup(call_arena(call), prefix, strlen(prefix));
	op->from_us = request->effective_from_us;
	admin_edit_start(gone, ctx, request->reason, family_delete_done);
}

void admin_list_families(struct call *call, void *ctx)
{
	struct arena *arena = call_arena(call);
	const Bursar__V1__ListFamiliesRequest *request =
		request_take(call, &bursar__v1__list_families_request__descriptor);
	struct snapshot *snapshot = request ? admin_snapshot(call, ctx) : NULL;
	Bursar__V1__ListFamiliesResponse *answer;
	const struct price_family *families;
	const char *tenant;
	int count;

	if (!snapshot)
		return;
	tenant = tenant_or_default(request->tenant);
	families = price_families(catalog_prices(snapshot->catalog), &count);
	answer = message_new(arena, ListFamiliesResponse, list_families_response);
	answer->families = message_list(arena, (size_t)count);
	for (int i = 0; i < count; i++) {
		Bursar__V1__Family *message;

		if (families[i].tenant[0] && strcmp(families[i].tenant, tenant) != 0)
			continue;
		message = admin_family_message(arena, &families[i]);
		message->priced = is_priced(
			snapshot->catalog, tenant, families[i].provider, families[i].model, arena, worker_now_us(ctx));
		answer->families[answer->n_families++] = message;
	}
	call_reply_message(call, &answer->base);
	snapshot_give(ctx, snapshot);
}
