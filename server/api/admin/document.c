/* Converts documents. */
#include "api/admin/document.h"

#include <stdlib.h>
#include <string.h>

#include "domain/time/zone_file.h"
#include "service/catalog/document.h"
#include "store/catalog_build.h"

static Bursar__V1__Pool *pool_message(struct arena *arena, const char *tenant, const struct pool_settings *settings)
{
	struct pool_row *row = arena_zalloc(arena, 1, sizeof(*row));

	row->tenant = tenant;
	row->settings = *settings;
	return admin_pool_message(arena, row);
}

/* Without the etag, which is not part of what a document describes. */
static Bursar__V1__Tier *tier_message(struct arena *arena, const char *tenant, const struct tier *tier)
{
	Bursar__V1__Tier *message = admin_tier_message(arena, tenant, tier);

	message->etag = unconst("");
	return message;
}

static Bursar__V1__Account *account_message(struct arena *arena, const struct account_row *row)
{
	Bursar__V1__Account *message = message_new(arena, Account, account);
	const struct account_profile *profile = &row->profile;

	message->ref = admin_ref(arena, &row->key);
	message->tier = unconst(profile->tier);
	message->org = unconst(profile->org);
	message->time_zone = unconst(profile->zone.name[0] ? profile->zone.name : "UTC");
	message->overrides = message_list(arena, LIMITS_MAX);
	for (int i = 0; i < profile->override_count; i++)
		message->overrides[message->n_overrides++] = limit_to_message(arena, &profile->overrides[i]);
	return message;
}

static void names_forget(const struct limit *limits, Bursar__V1__Limit **messages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (limit_name_is_made(&limits[i]))
			messages[i]->name = unconst("");
}

Bursar__V1__TenantDocument *document_message(struct arena *arena, const struct document *document)
{
	Bursar__V1__TenantDocument *message = message_new(arena, TenantDocument, tenant_document);

	message->tenant = admin_tenant_message(arena, document->settings, document->tenant);
	message->tiers = message_list(arena, (size_t)document->tiers);
	message->pools = message_list(arena, (size_t)document->pools);
	message->accounts = message_list(arena, (size_t)document->accounts);
	message->texts = message_list(arena, (size_t)document->texts);
	for (int i = 0; i < document->tiers; i++) {
		const struct tier *tier = &document->tier[i];
		Bursar__V1__Tier *part = tier_message(arena, document->tenant, tier);
		names_forget(tier->policy.limits, part->limits, part->n_limits);
		message->tiers[message->n_tiers++] = part;
	}
	for (int i = 0; i < document->pools; i++)
		message->pools[message->n_pools++] = pool_message(arena, document->tenant, &document->pool[i]);
	for (int i = 0; i < document->accounts; i++) {
		const struct account_row *row = &document->account[i];
		Bursar__V1__Account *part;

		if (document_account_empty(row))
			continue;
		part = account_message(arena, row);
		names_forget(row->profile.overrides, part->overrides, part->n_overrides);
		message->accounts[message->n_accounts++] = part;
	}
	for (int i = 0; i < document->texts; i++)
		message->texts[message->n_texts++] =
			admin_text_message(arena, document->tenant, &document->text[i], false);
	message->aliases = message_list(arena, (size_t)document->aliases);
	for (int i = 0; i < document->aliases; i++)
		message->aliases[message->n_aliases++] = admin_alias_message(arena, &document->alias[i]);
	message->families = message_list(arena, (size_t)document->families);
	for (int i = 0; i < document->families; i++)
		message->families[message->n_families++] = admin_family_message(arena, &document->family[i]);
	if (document->rules || document->channels)
		message->alerts = document_alerts_message(arena, document->tenant, document->rule, document->rules,
			document->channel, document->channels);
	return message;
}

Bursar__V1__TenantDocument *document_side_message(
	struct arena *arena, const char *tenant, const struct document_change *change, bool after)
{
	struct document_side side = document_side_of(change, after);
	Bursar__V1__TenantDocument *message = message_new(arena, TenantDocument, tenant_document);

	message->tiers = message_list(arena, 1);
	message->pools = message_list(arena, 1);
	message->accounts = message_list(arena, 1);
	message->texts = message_list(arena, 1);
	message->aliases = message_list(arena, 1);
	message->families = message_list(arena, 1);
	if (side.settings)
		message->tenant = admin_tenant_message(arena, side.settings, tenant);
	if (side.tier)
		message->tiers[message->n_tiers++] = tier_message(arena, tenant, side.tier);
	if (side.pool)
		message->pools[message->n_pools++] = pool_message(arena, tenant, side.pool);
	if (side.account)
		message->accounts[message->n_accounts++] = account_message(arena, side.account);
	if (side.text)
		message->texts[message->n_texts++] = admin_text_message(arena, tenant, side.text, false);
	if (side.alias)
		message->aliases[message->n_aliases++] = admin_alias_message(arena, side.alias);
	if (side.family)
		message->families[message->n_families++] = admin_family_message(arena, side.family);
	if (side.rule || side.channel)
		message->alerts = document_alerts_message(
			arena, tenant, side.rule, side.rule != NULL, side.channel, side.channel != NULL);
	return message;
}

/* Omitted fields get their defaults; unlike in PutTenant, they do not keep their values. */
static bool settings_read(const Bursar__V1__Tenant *message, const char *id, struct tenant *tenant, struct err *err)
{
	if (!document_tenant_check(message->id, id, "id", err))
		return false;
	tenant_defaults(tenant, id);
	if (message->default_tier[0])
		memcpy(tenant->default_tier, message->default_tier, strlen(message->default_tier) + 1);
	if (message->unknown_users)
		tenant->unknown_users = (enum unknown_users)message->unknown_users;
	if (message->unknown_model)
		tenant->unknown_model = (enum unknown_model)message->unknown_model;
	memcpy(tenant->fallback_model, message->fallback_model, strlen(message->fallback_model) + 1);
	if (message->language[0])
		memcpy(tenant->language, message->language, strlen(message->language) + 1);
	if (message->cost_source)
		tenant->cost_source = (enum cost_source)message->cost_source;
	return tenant->unknown_model != MODEL_FALLBACK || tenant->fallback_model[0] ||
	       err_invalid(err, "fallback_model", "is required when unknown models are priced as a fallback");
}

static bool tiers_read(
	const Bursar__V1__TenantDocument *message, struct arena *arena, struct document *out, struct err *err)
{
	out->tiers = (int)message->n_tiers;
	out->tier = arena_zalloc(arena, message->n_tiers + 1, sizeof(*out->tier));
	for (int i = 0; i < out->tiers; i++) {
		bool ok = document_tenant_check(message->tiers[i]->tenant, out->tenant, "tenant", err) &&
			  admin_tier_read(message->tiers[i], WARN_PERCENT_DEFAULT, &out->tier[i], err);
		for (int k = 0; ok && k < i; k++)
			if (strcmp(out->tier[k].name, out->tier[i].name) == 0)
				ok = err_invalid(err, "name", "%s is listed twice", out->tier[i].name);
		if (!ok)
			return err_prefix(err, "tiers[%d].", i);
	}
	return true;
}

static bool pool_read(const Bursar__V1__Pool *message, const char *tenant, struct pool_settings *s, struct err *err)
{
	const char *name = message->ref->name[0] ? message->ref->name : POOL_DEFAULT;

	if (!document_tenant_check(message->ref->tenant, tenant, "ref.tenant", err) ||
		!pool_name_check(name, "ref.name", err))
		return false;
	pool_settings_default(s, name, message->slots);
	s->slots_from_option = message->slots_from_option;
	s->paused = message->paused;
	s->available = message->available;
	s->user_queue_limit = message->user_queue_limit;
	if (message->queue_limit)
		s->queue_limit = message->queue_limit;
	if (message->level_queue_limit)
		s->level_queue_limit = message->level_queue_limit;
	if (message->age_every)
		s->age_every = message->age_every;
#define TIME(name) \
	if (message->name) \
		s->name = message->name;
	ADMIN_POOL_TIMES(TIME)
#undef TIME
	admin_pool_levels_read(message->levels, message->n_levels, s);
	return pool_settings_check(s, err);
}

static int by_priority(const void *a, const void *b)
{
	return ((const struct pool_level *)b)->priority - ((const struct pool_level *)a)->priority;
}

static bool pools_read(
	const Bursar__V1__TenantDocument *message, struct arena *arena, struct document *out, struct err *err)
{
	out->pools = (int)message->n_pools;
	out->pool = arena_zalloc(arena, message->n_pools + 1, sizeof(*out->pool));
	for (int i = 0; i < out->pools; i++) {
		struct pool_settings *pool = &out->pool[i];
		bool ok = pool_read(message->pools[i], out->tenant, pool, err);
		for (int k = 0; ok && k < i; k++)
			if (strcmp(out->pool[k].name, pool->name) == 0)
				ok = err_invalid(err, "ref.name", "%s is listed twice", pool->name);
		if (!ok)
			return err_prefix(err, "pools[%d].", i);
		/* In the order in which the store returns them. */
		qsort(pool->level, (size_t)pool->level_count, sizeof(pool->level[0]), by_priority);
	}
	return true;
}

static bool account_key_read(const Bursar__V1__AccountRef *ref, const struct catalog *catalog, const char *tenant,
	struct arena *arena, struct account_key *key, struct err *err)
{
	*key = (struct account_key){.kind = (enum account_kind)ref->kind, .tenant = tenant, .id = ref->id};
	if (!document_tenant_check(ref->tenant, tenant, "ref.tenant", err))
		return false;
	if (key->kind < ACCOUNT_TEAM)
		return err_invalid(
			err, "ref.kind", "must be team, org, model or tenant: documents do not contain users");
	if (key->kind == ACCOUNT_TENANT && !key->id[0])
		key->id = tenant;
	if (!key->id[0])
		return err_invalid(err, "ref.id", "is required: the id of the %s", account_kind_name(key->kind));
	if (key->kind == ACCOUNT_MODEL)
		return admin_model_id(catalog, tenant, &key->id, "ref.id", arena, err);
	return key->kind != ACCOUNT_TENANT || strcmp(key->id, tenant) == 0 ||
	       err_invalid(err, "ref.id", "must be the tenant's own id, %s, for a tenant's account", tenant);
}

static bool overrides_read(
	const Bursar__V1__Account *message, struct arena *arena, struct account_profile *profile, struct err *err)
{
	struct policy *policy = arena_zalloc(arena, 1, sizeof(*policy));

	for (size_t i = 0; i < message->n_overrides; i++)
		if (!limit_from_message(
			    message->overrides[i], WARN_PERCENT_DEFAULT, &policy->limits[policy->count++], err))
			return err_prefix(err, "overrides[%zu].", i);
	if (!policy_prepare(policy, err)) /* its error paths begin with "limits" already */
		return false;
	profile->overrides = policy->limits;
	profile->override_count = policy->count;
	return true;
}

static bool account_read(const Bursar__V1__Account *message, const struct catalog *catalog, const char *tenant,
	struct arena *arena, struct account_row *row, struct err *err)
{
	struct account_profile *profile = &row->profile;
	const char *zone = message->time_zone;

	if (!account_key_read(message->ref, catalog, tenant, arena, &row->key, err))
		return false;
	if (message->org[0] && row->key.kind != ACCOUNT_TEAM)
		return err_invalid(err, "org", "is for teams only; a %s has none", account_kind_name(row->key.kind));
	if (zone[0] && !zone_check(zone, err))
		return false;
	memcpy(profile->tier, message->tier, strlen(message->tier) + 1);
	memcpy(profile->org, message->org, strlen(message->org) + 1);
	if (strcmp(zone, "UTC") != 0)
		memcpy(profile->zone.name, zone, strlen(zone) + 1);
	return overrides_read(message, arena, profile, err);
}

static bool accounts_read(const Bursar__V1__TenantDocument *message, const struct catalog *catalog, int64_t now_us,
	struct arena *arena, struct document *out, struct err *err)
{
	out->accounts = (int)message->n_accounts;
	out->account = arena_zalloc(arena, message->n_accounts + 1, sizeof(*out->account));
	for (int i = 0; i < out->accounts; i++) {
		const struct account_key *key = &out->account[i].key;
		bool ok = account_read(message->accounts[i], catalog, out->tenant, arena, &out->account[i], err);
		for (int k = 0; ok && k < i; k++)
			if (out->account[k].key.kind == key->kind && strcmp(out->account[k].key.id, key->id) == 0)
				ok = err_invalid(
					err, "ref.id", "%s %s is listed twice", account_kind_name(key->kind), key->id);
		if (!ok)
			return err_prefix(err, "accounts[%d].", i);
		profile_drop_ended(&out->account[i].profile, now_us);
	}
	return true;
}

static bool texts_read(
	const Bursar__V1__TenantDocument *message, struct arena *arena, struct document *out, struct err *err)
{
	out->texts = (int)message->n_texts;
	out->text = arena_zalloc(arena, message->n_texts + 1, sizeof(*out->text));
	for (int i = 0; i < out->texts; i++) {
		struct text_template *text = &out->text[i];
		bool ok = document_tenant_check(message->texts[i]->tenant, out->tenant, "tenant", err) &&
			  admin_text_read(message->texts[i], arena, text, err);
		for (int k = 0; ok && k < i; k++)
			if (strcmp(out->text[k].code, text->code) == 0 &&
				strcmp(out->text[k].language, text->language) == 0)
				ok = err_invalid(err, "language", "%s has two texts in %s", text->code, text->language);
		if (!ok)
			return err_prefix(err, "texts[%d].", i);
	}
	return true;
}

/* What the server has stays as it is, so that a document can be applied just as it was exported. */
static bool aliases_read(const Bursar__V1__TenantDocument *message, const struct catalog *catalog, int64_t now_us,
	struct arena *arena, struct document *out, struct err *err)
{
	out->aliases = (int)message->n_aliases;
	out->alias = arena_zalloc(arena, message->n_aliases + 1, sizeof(*out->alias));
	for (int i = 0; i < out->aliases; i++) {
		const Bursar__V1__Alias *alias = message->aliases[i];

		if (!document_tenant_check(alias->tenant, out->tenant, "tenant", err) ||
			(!admin_alias_kept(alias, out->tenant, catalog, arena, &out->alias[i]) &&
				!admin_alias_read(alias, out->tenant, catalog, now_us, arena, &out->alias[i], err)))
			return err_prefix(err, "aliases[%d].", i);
	}
	return admin_aliases_differ(arena, out->alias, out->aliases, err);
}

static bool families_read(const Bursar__V1__TenantDocument *message, const struct catalog *catalog, int64_t now_us,
	struct arena *arena, struct document *out, struct err *err)
{
	out->families = (int)message->n_families;
	out->family = arena_zalloc(arena, message->n_families + 1, sizeof(*out->family));
	for (int i = 0; i < out->families; i++) {
		struct price_family *family = &out->family[i];
		bool ok = document_tenant_check(message->families[i]->tenant, out->tenant, "tenant", err) &&
			  admin_family_wanted(message->families[i], out->tenant, catalog, now_us, arena, family, err);
		for (int k = 0; ok && k < i; k++)
			if (out->family[k].from_us == family->from_us &&
				strcmp(out->family[k].prefix, family->prefix) == 0)
				ok = err_invalid(
					err, "pattern", "%s* is listed twice with the same beginning", family->prefix);
		if (!ok)
			return err_prefix(err, "families[%d].", i);
	}
	return true;
}

bool document_from_message(const Bursar__V1__TenantDocument *message, const struct catalog *catalog, const char *tenant,
	int64_t now_us, struct arena *arena, struct document *out, struct err *err)
{
	struct tenant *settings = NULL;

	*out = (struct document){.tenant = tenant};
	if (message->tenant) {
		settings = arena_zalloc(arena, 1, sizeof(*settings));
		if (!settings_read(message->tenant, tenant, settings, err))
			return err_prefix(err, "tenant.");
	}
	out->settings = settings;
	return tiers_read(message, arena, out, err) && pools_read(message, arena, out, err) &&
	       accounts_read(message, catalog, now_us, arena, out, err) && texts_read(message, arena, out, err) &&
	       aliases_read(message, catalog, now_us, arena, out, err) &&
	       families_read(message, catalog, now_us, arena, out, err) &&
	       document_alerts_read(message->alerts, arena, out, err);
}
