/* Turns the tree of a document into the API's messages (private.h) and remembers the position of every part. */
#include "cli/fleet/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without a number, the pool would have no slots. */
static bool pool_check(struct reading *r, const struct path *path, const struct yaml *at)
{
	for (size_t i = 0; i < at->count; i++)
		if (strcmp(at->keys[i]->text, "slots") == 0)
			return true;
	return fleet_wrong(
		r, path, at, "slots is missing: give a number, or option for the server's max_concurrent_agents");
}

static Bursar__V1__AccountRef *new_ref(Bursar__V1__AccountKind kind, const char *id)
{
	Bursar__V1__AccountRef *ref = fleet_message(&bursar__v1__account_ref__descriptor);

	ref->kind = kind;
	ref->id = fleet_copy(id);
	return ref;
}

/* Adds a new entry of the section to its list. */
static ProtobufCMessage *section_add(
	Bursar__V1__TenantDocument *document, const struct fleet_section *section, const char *name, size_t *at)
{
	void *entry = fleet_message(section->table->message);

	if (section->table == &fleet_tier) {
		((Bursar__V1__Tier *)entry)->name = fleet_copy(name);
		*at = document->n_tiers;
		fleet_list_add(&document->tiers, &document->n_tiers, entry);
	} else if (section->table == &fleet_pool) {
		Bursar__V1__PoolRef *ref = fleet_message(&bursar__v1__pool_ref__descriptor);
		ref->name = fleet_copy(name);
		((Bursar__V1__Pool *)entry)->ref = ref;
		*at = document->n_pools;
		fleet_list_add(&document->pools, &document->n_pools, entry);
	} else {
		((Bursar__V1__Account *)entry)->ref = new_ref(section->kind, name);
		*at = document->n_accounts;
		fleet_list_add(&document->accounts, &document->n_accounts, entry);
	}
	return entry;
}

static bool read_section(struct reading *r, const struct yaml *at, const struct fleet_section *section)
{
	struct path top = {.field = "document"}, path = fleet_path_key(&top, section->path, section->key);

	if (yaml_is_nothing(at))
		return true;
	if (at->kind != YAML_MAP)
		return fleet_wrong(r, &path, at, "must be a map of names");
	for (size_t i = 0; i < at->count; i++) {
		size_t n;
		struct path list = {0}, inner;
		ProtobufCMessage *entry = section_add(r->fleet->document, section, at->keys[i]->text, &n);

		snprintf(list.field, sizeof(list.field), "%.60s[%zu]", path.field, n);
		inner = fleet_path_key(&path, "", at->keys[i]->text);
		memcpy(inner.field, list.field, sizeof(inner.field));
		fleet_note(r, &inner, at->keys[i]);
		if (!fleet_read_entry(r, &inner, at->items[i], section->table, entry) ||
			(section->table == &fleet_pool && !pool_check(r, &inner, at->items[i])))
			return false;
	}
	return true;
}

static bool read_settings(struct reading *r, const struct yaml *at)
{
	struct path path = {.field = "document.tenant", .shown = "settings"};
	Bursar__V1__Tenant *settings = fleet_message(&bursar__v1__tenant__descriptor);

	r->fleet->document->tenant = settings;
	fleet_note(r, &path, at);
	return fleet_read_entry(r, &path, at, &fleet_settings, &settings->base);
}

static bool read_budget(struct reading *r, const struct yaml *at)
{
	Bursar__V1__TenantDocument *document = r->fleet->document;
	Bursar__V1__Account *account = fleet_message(&bursar__v1__account__descriptor);
	struct path path = {.shown = "budget"};

	snprintf(path.field, sizeof(path.field), "document.accounts[%zu]", document->n_accounts);
	account->ref = new_ref(BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TENANT, "");
	fleet_list_add(&document->accounts, &document->n_accounts, account);
	fleet_note(r, &path, at);
	return fleet_read_entry(r, &path, at, &fleet_account, &account->base);
}

static bool read_part(struct reading *r, const struct yaml *key, const struct yaml *at)
{
	struct path path = {.field = "tenant", .shown = "tenant"}, top = {.field = "document"};
	struct nearest nearest = {.text = key->text};

	if (strcmp(key->text, "tenant") == 0) {
		fleet_note(r, &path, at);
		return fleet_read_text(r, &path, at, &r->fleet->tenant);
	}
	if (strcmp(key->text, "settings") == 0)
		return read_settings(r, at);
	if (strcmp(key->text, "budget") == 0)
		return read_budget(r, at);
	if (strcmp(key->text, "texts") == 0)
		return fleet_read_texts(r, at);
	if (strcmp(key->text, "aliases") == 0)
		return fleet_read_aliases(r, at);
	if (strcmp(key->text, "families") == 0)
		return fleet_read_families(r, at);
	if (strcmp(key->text, "alerts") == 0)
		return fleet_read_alerts(r, at);
	nearest_try(&nearest, "texts");
	nearest_try(&nearest, "aliases");
	nearest_try(&nearest, "families");
	nearest_try(&nearest, "alerts");
	nearest_try(&nearest, "tenant");
	nearest_try(&nearest, "settings");
	nearest_try(&nearest, "budget");
	for (size_t i = 0; i < fleet_sections_count; i++) {
		if (strcmp(key->text, fleet_sections[i].key) == 0)
			return read_section(r, at, &fleet_sections[i]);
		nearest_try(&nearest, fleet_sections[i].key);
	}
	return fleet_unknown_key(r, &top, key, nearest.word);
}

bool fleet_read(const struct yaml *root, struct fleet *out, struct err *err)
{
	struct reading r = {.fleet = out, .err = err};

	*out = (struct fleet){.document = fleet_message(&bursar__v1__tenant_document__descriptor)};
	if (root->kind != YAML_MAP)
		return yaml_wrong(root, err,
			"must be a map with tenant, settings, tiers, pools, teams, orgs, models, budget, texts, aliases, families, alerts");
	for (size_t i = 0; i < root->count; i++)
		if (!read_part(&r, root->keys[i], root->items[i]))
			return false;
	return true;
}

void fleet_release(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->places; i++) {
		free(fleet->place[i].field);
		free(fleet->place[i].path);
	}
	free(fleet->place);
	free(fleet->tenant);
	bursar_free(fleet->document);
	*fleet = (struct fleet){0};
}

/* The position with the longest field that the error's field begins with. */
const struct fleet_place *fleet_find(const struct fleet *fleet, const char *field)
{
	const struct fleet_place *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < fleet->places; i++) {
		size_t len = strlen(fleet->place[i].field);

		if (len > longest && strncmp(field, fleet->place[i].field, len) == 0 &&
			(!field[len] || field[len] == '.' || field[len] == '[')) {
			best = &fleet->place[i];
			longest = len;
		}
	}
	return best;
}
