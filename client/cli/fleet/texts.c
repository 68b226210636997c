/* A document's texts (private.h), by language, then by code; its aliases, by name; and its families, by pattern. */
#include "cli/fleet/private.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/text/parse.h"

static bool read_text(struct reading *r, const struct path *language, const struct yaml *key, const struct yaml *at)
{
	Bursar__V1__TenantDocument *document = r->fleet->document;
	Bursar__V1__Text *text = fleet_message(&bursar__v1__text__descriptor);
	struct path path = fleet_path_key(language, "", key->text);

	snprintf(path.field, sizeof(path.field), "document.texts[%zu]", document->n_texts);
	text->language = fleet_copy(language->shown + strlen("texts."));
	text->code = fleet_copy(key->text);
	fleet_list_add(&document->texts, &document->n_texts, text);
	fleet_note(r, &path, key);
	return fleet_read_text(r, &path, at, &text->text);
}

bool fleet_read_texts(struct reading *r, const struct yaml *at)
{
	struct path path = {.field = "document.texts", .shown = "texts"};

	if (yaml_is_nothing(at))
		return true;
	fleet_note(r, &path, at);
	if (at->kind != YAML_MAP)
		return fleet_wrong(r, &path, at, "must be a map of languages, such as 'de: {wait: ...}'");
	for (size_t i = 0; i < at->count; i++) {
		const struct yaml *codes = at->items[i];
		struct path language = fleet_path_key(&path, "", at->keys[i]->text);

		if (codes->kind != YAML_MAP)
			return fleet_wrong(r, &language, codes, "must be a map of texts, such as 'wait: ...'");
		for (size_t k = 0; k < codes->count; k++)
			if (!read_text(r, &language, codes->keys[k], codes->items[k]))
				return false;
	}
	return true;
}

bool fleet_read_aliases(struct reading *r, const struct yaml *at)
{
	Bursar__V1__TenantDocument *document = r->fleet->document;
	struct path top = {.field = "document.aliases", .shown = "aliases"};

	if (yaml_is_nothing(at))
		return true;
	fleet_note(r, &top, at);
	if (at->kind != YAML_MAP)
		return fleet_wrong(r, &top, at, "must be a map of names, such as 'our-best: openai/gpt-5'");
	for (size_t i = 0; i < at->count; i++) {
		Bursar__V1__Alias *alias = fleet_message(&bursar__v1__alias__descriptor);
		struct path path = fleet_path_key(&top, "", at->keys[i]->text);

		snprintf(path.field, sizeof(path.field), "document.aliases[%zu]", document->n_aliases);
		alias->name = fleet_copy(at->keys[i]->text);
		fleet_list_add(&document->aliases, &document->n_aliases, alias);
		fleet_note(r, &path, at->keys[i]);
		if (!fleet_read_text(r, &path, at->items[i], &alias->model))
			return false;
	}
	return true;
}

/* `from`: when the rule begins; NULL: always. */
static bool read_family(struct reading *r, const struct path *at_pattern, const char *pattern, const struct yaml *from,
	const struct yaml *at)
{
	Bursar__V1__TenantDocument *document = r->fleet->document;
	Bursar__V1__Family *family = fleet_message(&bursar__v1__family__descriptor);
	struct path path = from ? fleet_path_key(at_pattern, "", from->text) : *at_pattern;
	struct err why;

	snprintf(path.field, sizeof(path.field), "document.families[%zu]", document->n_families);
	family->pattern = fleet_copy(pattern);
	fleet_list_add(&document->families, &document->n_families, family);
	fleet_note(r, &path, from ? from : at);
	if (from && strcmp(from->text, FLEET_ALWAYS) != 0 &&
		!parse_time(from->text, clock_wall_us(), &family->effective_from_us, &why))
		return fleet_wrong(r, &path, from, "must be a time or always: %s", why.text);
	return fleet_read_text(r, &path, at, &family->model);
}

bool fleet_read_families(struct reading *r, const struct yaml *at)
{
	struct path top = {.field = "document.families", .shown = "families"};

	if (yaml_is_nothing(at))
		return true;
	fleet_note(r, &top, at);
	if (at->kind != YAML_MAP)
		return fleet_wrong(r, &top, at, "must be a map of patterns, such as 'gpt-6*: openai/gpt-5'");
	for (size_t i = 0; i < at->count; i++) {
		const struct yaml *rules = at->items[i];
		struct path path = fleet_path_key(&top, "", at->keys[i]->text);

		if (rules->kind != YAML_MAP && !read_family(r, &path, at->keys[i]->text, NULL, rules))
			return false;
		for (size_t k = 0; rules->kind == YAML_MAP && k < rules->count; k++)
			if (!read_family(r, &path, at->keys[i]->text, rules->keys[k], rules->items[k]))
				return false;
	}
	return true;
}
