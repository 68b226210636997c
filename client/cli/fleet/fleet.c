/* The tables, and writing documents with them (fleet.h). */
#include "cli/fleet/private.h"

#include <string.h>

#include "base/units.h"
#include "cli/text/format.h"
#include "cli/text/limit_spec.h"

enum { USUAL_WARN_PERCENT = 80 };

#define TABLE(name_, message_, ...) \
	static const struct fleet_field name_##_fields[] = {__VA_ARGS__}; \
	const struct fleet_table fleet_##name_ = {&bursar__v1__##message_##__descriptor, name_##_fields, \
		sizeof(name_##_fields) / sizeof(name_##_fields[0])}

TABLE(settings, tenant, {"default_tier", "default_tier", FLEET_TEXT, NULL},
	{"unknown_users", "unknown_users", FLEET_WORD, "UNKNOWN_USERS_"},
	{"unknown_model", "unknown_model", FLEET_WORD, "UNKNOWN_MODEL_"},
	{"fallback_model", "fallback_model", FLEET_TEXT, NULL}, {"language", "language", FLEET_TEXT, NULL},
	{"cost_source", "cost_source", FLEET_WORD, "COST_SOURCE_"});
TABLE(tier, tier, {"limits", "limits", FLEET_LIMITS, NULL}, {"pool_priority", "pool_priority", FLEET_COUNT, NULL},
	{"pool_concurrent", "pool_concurrent", FLEET_COUNT, NULL},
	{"default_output_tokens", "default_output_tokens", FLEET_COUNT, NULL},
	{"fail_policy", "fail_policy", FLEET_WORD, "FAIL_POLICY_"}, {"upgrade_to", "upgrade_to", FLEET_TEXT, NULL});
TABLE(pool, pool, {"slots", "slots", FLEET_SLOTS, NULL}, {"paused", "paused", FLEET_TRUTH, NULL},
	{"available", "available", FLEET_TRUTH, NULL}, {"queue_limit", "queue_limit", FLEET_COUNT, NULL},
	{"level_queue_limit", "level_queue_limit", FLEET_COUNT, NULL},
	{"user_queue_limit", "user_queue_limit", FLEET_COUNT, NULL}, {"lease", "lease_us", FLEET_DURATION, NULL},
	{"age", "age_us", FLEET_DURATION, NULL}, {"age_every", "age_every", FLEET_COUNT, NULL},
	{"starve", "starve_us", FLEET_DURATION, NULL},
	{"predicted_wait_max", "predicted_wait_max_us", FLEET_DURATION, NULL},
	{"wait_max", "wait_max_us", FLEET_DURATION, NULL}, {"estimate", "estimate_us", FLEET_DURATION, NULL},
	{"learn_margin", "learn_margin_us", FLEET_DURATION, NULL}, {"drain", "drain_us", FLEET_DURATION, NULL},
	{"levels", "levels", FLEET_LEVELS, NULL});
TABLE(level, pool_level, {"priority", "priority", FLEET_COUNT, NULL}, {"weight", "weight", FLEET_COUNT, NULL},
	{"queue_limit", "queue_limit", FLEET_COUNT, NULL});
TABLE(account, account, {"tier", "tier", FLEET_TEXT, NULL}, {"org", "org", FLEET_TEXT, NULL},
	{"time_zone", "time_zone", FLEET_TEXT, NULL}, {"limits", "overrides", FLEET_LIMITS, NULL});

TABLE(text, text, {"text", "text", FLEET_TEXT, NULL});
TABLE(alias, alias, {"provider", "provider", FLEET_TEXT, NULL}, {"model", "model", FLEET_TEXT, NULL});
TABLE(family, family, {"provider", "provider", FLEET_TEXT, NULL}, {"model", "model", FLEET_TEXT, NULL});

TABLE(channel, alert_channel, {"kind", "kind", FLEET_WORD, "ALERT_CHANNEL_KIND_"},
	{"target", "target", FLEET_TEXT, NULL}, {"disabled", "disabled", FLEET_TRUTH, NULL},
	{"system", "system", FLEET_TRUTH, NULL}, {"least", "least", FLEET_WORD, "ALERT_SEVERITY_"},
	{"digest", "digest_us", FLEET_DURATION, NULL}, {"quiet_from", "quiet_from_minute", FLEET_MINUTE, NULL},
	{"quiet_to", "quiet_to_minute", FLEET_MINUTE, NULL}, {"quiet_zone", "quiet_zone", FLEET_TEXT, NULL},
	{"rate_per_minute", "rate_per_minute", FLEET_COUNT, NULL}, {"ordered", "ordered", FLEET_TRUTH, NULL},
	{"language", "language", FLEET_TEXT, NULL}, {"title", "title", FLEET_TEXT, NULL},
	{"body", "body", FLEET_TEXT, NULL});
TABLE(rule, alert_rule, {"kind", "kind", FLEET_WORD, "ALERT_KIND_"},
	{"severity", "severity", FLEET_WORD, "ALERT_SEVERITY_"}, {"disabled", "disabled", FLEET_TRUTH, NULL},
	{"account_kinds", "account_kinds", FLEET_WORDS, "ACCOUNT_KIND_"}, {"account", "account", FLEET_TEXT, NULL},
	{"tier", "tier", FLEET_TEXT, NULL}, {"team", "team", FLEET_TEXT, NULL}, {"limit", "limit", FLEET_TEXT, NULL},
	{"dimension", "dimension", FLEET_WORD, "DIMENSION_"}, {"window", "window", FLEET_WORD, "CALENDAR_WINDOW_"},
	{"percents", "percents", FLEET_NUMBERS, NULL}, {"amounts", "amounts", FLEET_NUMBERS, NULL},
	{"percent", "percent", FLEET_COUNT, NULL}, {"minimum_nano_usd", "minimum_nano_usd", FLEET_COUNT, NULL},
	{"after", "after_s", FLEET_SECONDS, NULL}, {"channels", "channels", FLEET_NAMES, NULL},
	{"no_channels", "no_channels", FLEET_TRUTH, NULL});

const struct fleet_section fleet_sections[] = {
	{"tiers", "tier", &fleet_tier, BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_UNSPECIFIED, "tiers"},
	{"pools", "pool", &fleet_pool, BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_UNSPECIFIED, "pools"},
	{"teams", "team", &fleet_account, BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TEAM, "accounts"},
	{"orgs", "org", &fleet_account, BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_ORG, "accounts"},
	{"models", "model", &fleet_account, BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_MODEL, "accounts"},
};
const size_t fleet_sections_count = sizeof(fleet_sections) / sizeof(fleet_sections[0]);

/* Leaves out what is the default for a limit. */
static json_t *limit_json(const Bursar__V1__Limit *limit, bool name)
{
	Bursar__V1__Limit shown = *limit;
	struct buf text = {0};

	if (shown.warn_percent == USUAL_WARN_PERCENT)
		shown.warn_percent = 0;
	limit_spec_put(&text, &shown, name);
	json_t *json = json_string(buf_str(&text));
	buf_release(&text);
	return json;
}

static json_t *word_json(const ProtobufCFieldDescriptor *field, int value, const char *prefix)
{
	struct buf text = {0};

	if (value == 0)
		return NULL;
	put_enum(&text, field->descriptor, value, prefix);
	json_t *json = json_string(buf_str(&text));
	buf_release(&text);
	return json;
}

static json_t *duration_json(int64_t us)
{
	struct buf text = {0};

	if (us == 0)
		return NULL;
	put_duration_exact(&text, us);
	json_t *json = json_string(buf_str(&text));
	buf_release(&text);
	return json;
}

static json_t *list_json(const struct fleet_field *row, void *const *items, size_t count, bool names)
{
	json_t *list = count ? json_array() : NULL;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, row->kind == FLEET_LIMITS
						    ? limit_json(items[i], names)
						    : fleet_entry_json(&fleet_level, items[i], names));
	return list;
}

static json_t *minute_json(int32_t minute)
{
	struct buf text = {0};

	if (minute == 0)
		return NULL;
	put_minute(&text, minute);
	json_t *json = json_string(buf_str(&text));
	buf_release(&text);
	return json;
}

static int64_t number_of(const ProtobufCFieldDescriptor *field, const void *at)
{
	return field->type == PROTOBUF_C_TYPE_INT64 ? *(const int64_t *)at : *(const int32_t *)at;
}

/* NULL: empty. */
static json_t *value_json(const struct fleet_field *row, const ProtobufCMessage *entry, bool names)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(entry->descriptor, row->field);
	const char *base = (const char *)entry;
	const void *at = base + field->offset;

	switch (row->kind) {
	case FLEET_TEXT:
		return **(char *const *)at ? json_string(*(char *const *)at) : NULL;
	case FLEET_COUNT:
		return number_of(field, at) ? json_integer(number_of(field, at)) : NULL;
	case FLEET_TRUTH:
		return *(const protobuf_c_boolean *)at ? json_true() : NULL;
	case FLEET_WORD:
		return word_json(field, *(const int *)at, row->prefix);
	case FLEET_DURATION:
		return duration_json(*(const int64_t *)at);
	case FLEET_SLOTS:
		return ((const Bursar__V1__Pool *)(const void *)entry)->slots_from_option
			       ? json_string("option")
			       : json_integer(*(const int32_t *)at);
	case FLEET_LIMITS:
	case FLEET_LEVELS:
		return list_json(row, *(void *const *const *)at,
			*(const size_t *)(const void *)(base + field->quantifier_offset), names);
	case FLEET_SECONDS:
		return duration_json(*(const int64_t *)at * SECOND_US);
	case FLEET_MINUTE:
		return minute_json(*(const int32_t *)at);
	case FLEET_NUMBERS:
	case FLEET_NAMES:
	case FLEET_WORDS:
		return fleet_list_json(row, field, entry);
	}
	return NULL;
}

json_t *fleet_entry_json(const struct fleet_table *table, const ProtobufCMessage *entry, bool names)
{
	json_t *object = json_object();

	for (size_t i = 0; i < table->count; i++) {
		json_t *value = value_json(&table->fields[i], entry, names);

		if (value)
			json_object_set_new(object, table->fields[i].key, value);
	}
	return object;
}

/* Leaves out the defaults of an account. */
static json_t *account_json(const Bursar__V1__Account *account)
{
	json_t *object = fleet_entry_json(&fleet_account, &account->base, true);

	if (strcmp(account->time_zone, "UTC") == 0)
		json_object_del(object, "time_zone");
	return object;
}

static json_t *section_json(const struct fleet_section *section, const Bursar__V1__TenantDocument *document)
{
	json_t *entries = json_object();

	for (size_t i = 0; section->table == &fleet_tier && i < document->n_tiers; i++)
		json_object_set_new(entries, document->tiers[i]->name,
			fleet_entry_json(&fleet_tier, &document->tiers[i]->base, true));
	for (size_t i = 0; section->table == &fleet_pool && i < document->n_pools; i++)
		json_object_set_new(entries, document->pools[i]->ref->name,
			fleet_entry_json(&fleet_pool, &document->pools[i]->base, true));
	for (size_t i = 0; section->kind && i < document->n_accounts; i++)
		if (document->accounts[i]->ref->kind == section->kind)
			json_object_set_new(
				entries, document->accounts[i]->ref->id, account_json(document->accounts[i]));
	return entries;
}

/* A map of languages, each a map of codes. */
static json_t *texts_json(const Bursar__V1__TenantDocument *document)
{
	json_t *languages = json_object();

	for (size_t i = 0; i < document->n_texts; i++) {
		const Bursar__V1__Text *text = document->texts[i];
		json_t *codes = json_object_get(languages, text->language);

		if (!codes) {
			codes = json_object();
			json_object_set_new(languages, text->language, codes);
		}
		json_object_set_new(codes, text->code, json_string(text->text));
	}
	return languages;
}

/* A map of names: each leads to "provider/model". */
/* "provider/model". What was read from a document has both in the model. */
static json_t *model_json(const char *provider, const char *model)
{
	return json_sprintf("%s%s%s", provider, provider[0] ? "/" : "", model);
}

static json_t *aliases_json(const Bursar__V1__TenantDocument *document)
{
	json_t *names = json_object();

	for (size_t i = 0; i < document->n_aliases; i++) {
		const Bursar__V1__Alias *alias = document->aliases[i];

		json_object_set_new(names, alias->name, model_json(alias->provider, alias->model));
	}
	return names;
}

/* A map of patterns: each leads to "provider/model", or to a map of beginnings that do. */
static json_t *families_json(const Bursar__V1__TenantDocument *document)
{
	json_t *patterns = json_object();

	for (size_t i = 0; i < document->n_families; i++) {
		const Bursar__V1__Family *family = document->families[i];
		json_t *model = model_json(family->provider, family->model);
		json_t *before = json_object_get(patterns, family->pattern);
		struct buf from = {0};

		if (!before && !family->effective_from_us) {
			json_object_set_new(patterns, family->pattern, model);
			continue;
		}
		if (!json_is_object(before)) {
			json_t *beginnings = json_object();

			if (before)
				json_object_set(beginnings, FLEET_ALWAYS, before);
			json_object_set_new(patterns, family->pattern, beginnings);
			before = beginnings;
		}
		put_time_exact(&from, family->effective_from_us);
		json_object_set_new(before, buf_str(&from), model);
		buf_release(&from);
	}
	return patterns;
}

static json_t *alerts_json(const Bursar__V1__AlertDocument *alerts)
{
	json_t *root = json_object(), *channels = json_object(), *rules = json_object();

	for (size_t i = 0; i < alerts->n_channels; i++) {
		json_t *entry = fleet_entry_json(&fleet_channel, &alerts->channels[i]->base, true);

		/* Of a chat it is the host of its secret URL, which the server fills in. */
		if (alerts->channels[i]->kind >= BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_SLACK &&
			alerts->channels[i]->kind <= BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_TEAMS)
			json_object_del(entry, "target");
		json_object_set_new(channels, alerts->channels[i]->name, entry);
	}
	for (size_t i = 0; i < alerts->n_rules; i++)
		json_object_set_new(
			rules, alerts->rules[i]->name, fleet_entry_json(&fleet_rule, &alerts->rules[i]->base, true));
	if (json_object_size(channels))
		json_object_set(root, "channels", channels);
	if (json_object_size(rules))
		json_object_set(root, "rules", rules);
	json_decref(channels);
	json_decref(rules);
	return root;
}

json_t *fleet_json(const Bursar__V1__TenantDocument *document)
{
	json_t *root = json_object();

	json_object_set_new(root, "tenant", json_string(document->tenant->id));
	json_object_set_new(root, "settings", fleet_entry_json(&fleet_settings, &document->tenant->base, true));
	for (size_t i = 0; i < fleet_sections_count; i++) {
		json_t *entries = section_json(&fleet_sections[i], document);

		if (json_object_size(entries) > 0)
			json_object_set_new(root, fleet_sections[i].key, entries);
		else
			json_decref(entries);
	}
	for (size_t i = 0; i < document->n_accounts; i++)
		if (document->accounts[i]->ref->kind == BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TENANT)
			json_object_set_new(root, "budget", account_json(document->accounts[i]));
	if (document->n_texts)
		json_object_set_new(root, "texts", texts_json(document));
	if (document->n_aliases)
		json_object_set_new(root, "aliases", aliases_json(document));
	if (document->n_families)
		json_object_set_new(root, "families", families_json(document));
	if (document->alerts)
		json_object_set_new(root, "alerts", alerts_json(document->alerts));
	return root;
}
