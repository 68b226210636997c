/* Shows people what an apply changes (fleet.h). */
#include "cli/fleet/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "cli/common/view.h"
#include "cli/text/format.h"

/* One side of a change: the only entry of its document. */
struct side {
	const struct fleet_table *table;
	const ProtobufCMessage *entry; /* NULL: the entry does not exist */
	const char *title, *name;
	const char *language; /* of a text; NULL */
	int64_t from_us; /* of a family's rule; 0: always */
	Bursar__V1__Limit **limits;
	size_t n_limits;
};

static struct side side_of_account(const Bursar__V1__Account *account)
{
	struct side side = {.table = &fleet_account,
		.entry = &account->base,
		.title = "budget",
		.name = "",
		.limits = account->overrides,
		.n_limits = account->n_overrides};

	for (size_t i = 0; i < fleet_sections_count; i++)
		if (fleet_sections[i].kind && fleet_sections[i].kind == account->ref->kind) {
			side.title = fleet_sections[i].title;
			side.name = account->ref->id;
		}
	return side;
}

static struct side side_of(const Bursar__V1__TenantDocument *document)
{
	if (!document)
		return (struct side){0};
	if (document->tenant)
		return (struct side){
			.table = &fleet_settings, .entry = &document->tenant->base, .title = "settings", .name = ""};
	if (document->n_tiers)
		return (struct side){.table = &fleet_tier,
			.entry = &document->tiers[0]->base,
			.title = "tier",
			.name = document->tiers[0]->name,
			.limits = document->tiers[0]->limits,
			.n_limits = document->tiers[0]->n_limits};
	if (document->n_pools)
		return (struct side){.table = &fleet_pool,
			.entry = &document->pools[0]->base,
			.title = "pool",
			.name = document->pools[0]->ref->name};
	if (document->n_accounts)
		return side_of_account(document->accounts[0]);
	if (document->n_texts)
		return (struct side){.table = &fleet_text,
			.entry = &document->texts[0]->base,
			.title = "text",
			.name = document->texts[0]->code,
			.language = document->texts[0]->language};
	if (document->n_aliases)
		return (struct side){.table = &fleet_alias,
			.entry = &document->aliases[0]->base,
			.title = "alias",
			.name = document->aliases[0]->name};
	if (document->n_families)
		return (struct side){.table = &fleet_family,
			.entry = &document->families[0]->base,
			.title = "family",
			.name = document->families[0]->pattern,
			.from_us = document->families[0]->effective_from_us};
	if (document->alerts && document->alerts->n_channels)
		return (struct side){.table = &fleet_channel,
			.entry = &document->alerts->channels[0]->base,
			.title = "alert channel",
			.name = document->alerts->channels[0]->name};
	if (document->alerts && document->alerts->n_rules)
		return (struct side){.table = &fleet_rule,
			.entry = &document->alerts->rules[0]->base,
			.title = "alert rule",
			.name = document->alerts->rules[0]->name};
	return (struct side){0};
}

static void put_field(struct cli *cli, const char *name, const char *before, const char *after)
{
	buf_putf(&cli->out, "    %s: ", name);
	if (before)
		cli_put_coloured(cli, "31", before);
	if (before && after)
		buf_put_str(&cli->out, " -> ");
	else if (before)
		buf_put_str(&cli->out, " (removed)");
	if (after)
		cli_put_coloured(cli, "32", after);
	buf_put_str(&cli->out, "\n");
}

static const Bursar__V1__Limit *limit_of(const struct side *side, const char *name)
{
	for (size_t i = 0; i < side->n_limits; i++)
		if (strcmp(side->limits[i]->name, name) == 0)
			return side->limits[i];
	return NULL;
}

/* Appends the limit as export writes it, without its name. */
static void put_limit(struct buf *out, const Bursar__V1__Limit *limit)
{
	json_t *entry, *list;
	Bursar__V1__Limit *one = (Bursar__V1__Limit *)limit;
	Bursar__V1__Tier tier = BURSAR__V1__TIER__INIT;

	tier.limits = &one;
	tier.n_limits = 1;
	entry = fleet_entry_json(&fleet_tier, &tier.base, false);
	list = json_object_get(entry, "limits");
	buf_put_str(out, json_string_value(json_array_get(list, 0)));
	json_decref(entry);
}

static void show_limits(struct cli *cli, const struct side *before, const struct side *after)
{
	struct buf name = {0}, was = {0}, is = {0};
	size_t shown = 0;

	for (size_t i = 0; i < before->n_limits + after->n_limits; i++) {
		bool of_after = i >= before->n_limits;
		const Bursar__V1__Limit *limit = of_after ? after->limits[i - before->n_limits] : before->limits[i];
		const Bursar__V1__Limit *old = limit_of(before, limit->name), *new = limit_of(after, limit->name);

		if (of_after && old)
			continue;
		buf_reset(&was);
		buf_reset(&is);
		buf_reset(&name);
		buf_putf(&name, "limits.%s", limit->name);
		if (old)
			put_limit(&was, old);
		if (new)
			put_limit(&is, new);
		if (old && new &&strcmp(buf_str(&was), buf_str(&is)) == 0)
			continue;
		put_field(cli, buf_str(&name), old ? buf_str(&was) : NULL, new ? buf_str(&is) : NULL);
		shown++;
	}
	bool same = !shown && before->n_limits == after->n_limits, moved = false;
	for (size_t i = 0; same && i < before->n_limits; i++)
		moved = moved || strcmp(before->limits[i]->name, after->limits[i]->name) != 0;
	if (moved)
		buf_put_str(&cli->out, "    limits: reordered\n");
	buf_release(&name);
	buf_release(&was);
	buf_release(&is);
}

/* A value as export writes it; NULL if it leaves it out. Free with free. */
static char *value_text(const json_t *entry, const char *key)
{
	const json_t *value = json_object_get(entry, key);

	if (!value)
		return NULL;
	if (json_is_string(value))
		return strdup(json_string_value(value));
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void show_fields(struct cli *cli, const struct side *before, const struct side *after)
{
	const struct fleet_table *table = before->table ? before->table : after->table;
	json_t *was = before->entry ? fleet_entry_json(table, before->entry, true) : json_object();
	json_t *is = after->entry ? fleet_entry_json(table, after->entry, true) : json_object();

	for (size_t i = 0; i < table->count; i++) {
		const char *key = table->fields[i].key;

		if (table->fields[i].kind == FLEET_LIMITS) {
			show_limits(cli, before, after);
			continue;
		}
		char *old = value_text(was, key), *new = value_text(is, key);
		bool usual = !before->entry && new &&strcmp(new, "UTC") == 0;
		if (!usual && (old || new) && (!old || !new || strcmp(old, new) != 0))
			put_field(cli, key, old, new);
		free(old);
		free(new);
	}
	json_decref(was);
	json_decref(is);
}

void fleet_show(struct cli *cli, const Bursar__V1__ApplyResponse *answer)
{
	static const char *const signs[] = {"?", "+ ", "~ ", "- ", "= "}, *const colours[] = {
										  "0", "32", "33", "31", "0"};
	size_t counts[5] = {0};

	for (size_t i = 0; i < answer->n_changes; i++) {
		const Bursar__V1__DocumentChange *change = answer->changes[i];
		struct side before = side_of(change->before), after = side_of(change->after);
		const struct side *named = after.entry ? &after : &before;
		unsigned kind = change->kind <= 4 ? (unsigned)change->kind : 0;
		struct buf title = {0};

		if (!named->entry)
			continue; /* from a newer server */
		buf_putf(&title, "%s%s%s%s", signs[kind], named->title, named->name[0] ? " " : "", named->name);
		if (named->language)
			buf_putf(&title, " in %s", named->language);
		if (named->from_us) {
			buf_put_str(&title, " from ");
			put_time_exact(&title, named->from_us);
		}
		cli_put_coloured(cli, colours[kind], buf_str(&title));
		buf_put_str(&cli->out, "\n");
		buf_release(&title);
		counts[kind]++;
		if (after.entry)
			show_fields(cli, &before, &after);
	}
	buf_putf(&cli->out, "%zu added, %zu changed, %zu removed\n", counts[1], counts[2], counts[3]);
}
