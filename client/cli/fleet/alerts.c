/* A document's alerts (private.h): channels, then rules, each by name. */
#include "cli/fleet/private.h"

#include <stdio.h>
#include <string.h>

/* Adds a new entry to its list; *n: its place. */
static ProtobufCMessage *entry_add(
	Bursar__V1__AlertDocument *alerts, const struct fleet_table *table, const char *name, size_t *n)
{
	void *entry = fleet_message(table->message);

	if (table == &fleet_channel) {
		((Bursar__V1__AlertChannel *)entry)->name = fleet_copy(name);
		*n = alerts->n_channels;
		fleet_list_add(&alerts->channels, &alerts->n_channels, entry);
	} else {
		((Bursar__V1__AlertRule *)entry)->name = fleet_copy(name);
		*n = alerts->n_rules;
		fleet_list_add(&alerts->rules, &alerts->n_rules, entry);
	}
	return entry;
}

static bool read_entries(
	struct reading *r, const struct path *path, const struct yaml *at, const struct fleet_table *table)
{
	if (yaml_is_nothing(at))
		return true;
	fleet_note(r, path, at);
	if (at->kind != YAML_MAP)
		return fleet_wrong(r, path, at, "must be a map of names");
	for (size_t i = 0; i < at->count; i++) {
		size_t n;
		ProtobufCMessage *entry = entry_add(r->fleet->document->alerts, table, at->keys[i]->text, &n);
		struct path inner = fleet_path_key(path, "", at->keys[i]->text);

		snprintf(inner.field, sizeof(inner.field), "%.60s[%zu]", path->field, n);
		fleet_note(r, &inner, at->keys[i]);
		if (!fleet_read_entry(r, &inner, at->items[i], table, entry))
			return false;
	}
	return true;
}

bool fleet_read_alerts(struct reading *r, const struct yaml *at)
{
	struct path top = {.field = "document.alerts", .shown = "alerts"};

	if (yaml_is_nothing(at))
		return true;
	fleet_note(r, &top, at);
	if (at->kind != YAML_MAP)
		return fleet_wrong(r, &top, at, "must be a map with channels and rules");
	r->fleet->document->alerts = fleet_message(&bursar__v1__alert_document__descriptor);
	for (size_t i = 0; i < at->count; i++) {
		const struct yaml *key = at->keys[i];
		bool channels = strcmp(key->text, "channels") == 0;
		struct path path = fleet_path_key(&top, key->text, key->text);
		struct nearest nearest = {.text = key->text};

		nearest_try(&nearest, "channels");
		nearest_try(&nearest, "rules");
		if (!channels && strcmp(key->text, "rules") != 0)
			return fleet_unknown_key(r, &top, key, nearest.word);
		if (!read_entries(r, &path, at->items[i], channels ? &fleet_channel : &fleet_rule))
			return false;
	}
	return true;
}
