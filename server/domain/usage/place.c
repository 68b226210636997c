/* Finds usage objects and facts about them (domain/usage/place.h). */
#include "domain/usage/place.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "domain/limit/limit.h"

static bool tells(const struct usage_format *format, struct raw_json *usage)
{
	if (format->rounds && format->rounds[0] != '^' && path_first(usage, format->rounds))
		return true;
	for (int i = 0; i < USAGE_RULES_MAX && format->rule[i].kind != RULE_END; i++)
		if (format->rule[i].kind < RULE_DOUBT && format->rule[i].path[0] != '^' &&
			path_first(usage, format->rule[i].path))
			return true;
	return false;
}

/* A member that has exactly this name. */
static bool has_exactly(const struct raw_json *object, const char *name, size_t len)
{
	for (const struct raw_json *child = object->child; child; child = child->next)
		if (child->key_len == len && memcmp(child->key, name, len) == 0)
			return true;
	return false;
}

static bool has_sign(const struct usage_place_found *place, const char *paths)
{
	char path[128];

	while (*paths) {
		size_t len = strcspn(paths, "|");
		bool outer = *paths == '^', exactly = *paths == '=';

		snprintf(path, sizeof(path), "%.*s", (int)len - (outer || exactly), paths + (outer || exactly));
		if (exactly ? has_exactly(place->usage, path, strlen(path))
			    : path_first(outer ? place->outer : place->usage, path) != NULL ||
					(outer && path_first(place->root, path)))
			return true;
		paths += len;
		paths += *paths == '|';
	}
	return false;
}

/* Does this value have a usage object's members? */
static bool fits(const struct usage_format *format, struct usage_place_found *place)
{
	const struct usage_format *sign;
	const char *paths;

	if (place->usage->type != RAW_JSON_OBJECT)
		return false;
	if (format) {
		place->format = format;
		return tells(format, place->usage);
	}
	for (int i = 0; usage_format_sign(i, &sign, &paths); i++)
		if (has_sign(place, paths) && tells(sign, place->usage)) {
			place->format = sign;
			return true;
		}
	return false;
}

static struct raw_json *outer_of(struct raw_json *root, const char *wrapper)
{
	const char *dot = strrchr(wrapper, '.');
	char path[64];

	if (!dot)
		return root;
	snprintf(path, sizeof(path), "%.*s", (int)(dot - wrapper), wrapper);
	return path_first(root, path);
}

static bool locate(const struct usage_format *format, struct raw_json *root, struct usage_place_found *out)
{
	struct usage_place_found place = {.usage = root, .outer = root, .root = root};

	if (fits(format, &place)) {
		*out = place;
		return true;
	}
	for (const char *const *wrapper = usage_wrappers; *wrapper; wrapper++) {
		place.usage = path_first(root, *wrapper);
		if (!place.usage)
			continue;
		place.outer = outer_of(root, *wrapper);
		if (fits(format, &place)) {
			*out = place;
			return true;
		}
	}
	return false;
}

bool usage_locate(const struct usage_format *format, struct raw_json *root, struct usage_place_found *out)
{
	/* A name may be that of a proxy that passes on another provider's object. */
	return locate(format, root, out) || (format && locate(NULL, root, out));
}

/* In the object, beside it, or at the top. */
static struct raw_json *fact(const struct usage_place_found *place, const char *path)
{
	struct raw_json *found = path_first(place->usage, path);

	if (!found)
		found = path_first(place->outer, path);
	return found ? found : path_first(place->root, path);
}

static const char *fact_id(const struct usage_place_found *place, const char *path, struct arena *arena)
{
	struct raw_json *value = fact(place, path);
	const char *text = value ? raw_json_string(value, arena) : NULL;

	return text && text[0] && id_check(text, strlen(text), "model", NULL) ? text : NULL;
}

/* A short word in lower case; NULL if it is not one. */
static const char *word_of(const struct raw_json *value, struct arena *arena)
{
	char *word;

	if (!value || value->type != RAW_JSON_STRING || value->len < 1 || value->len > 15)
		return NULL;
	word = arena_strndup(arena, value->text, value->len);
	for (char *c = word; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
	return strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_-") == value->len ? word : NULL;
}

static void take_mode(struct raw_json *said, struct arena *arena, struct usage_reading *out)
{
	const char *mode = NULL, *word;

	if (!said || said->type != RAW_JSON_STRING)
		return;
	mode = usage_mode(said->text, said->len);
	word = mode ? mode : word_of(said, arena);
	if (!word || (!word[0] && out->mode[0] && strcmp(out->mode, "standard") != 0))
		return;
	out->mode = word[0] ? word : "standard";
}

/* A mode by whose name all parts of the input are called. Those of requests in several modes leave it open. */
static void take_tier(const struct usage_place_found *place, struct usage_reading *out)
{
	const struct usage_format *format = place->format;
	struct path_sum whole, part;

	if (!format || !format->tiered || out->mode[0] ||
		!path_sum(place->usage, format->tiered, PATH_WHOLE, &whole, NULL) || whole.sum == 0)
		return;
	for (int i = 0; i < (int)(sizeof(format->tier) / sizeof(format->tier[0])); i++) {
		int64_t sum = 0;

		for (int k = 0; k < 3; k++)
			if (path_sum(place->usage, format->tier[i].parts[k], PATH_WHOLE, &part, NULL))
				sum = capped_sum(sum, part.sum);
		if (sum == whole.sum)
			out->mode = format->tier[i].mode;
	}
}

void usage_facts(const struct usage_place_found *place, struct arena *arena, struct usage_reading *out)
{
	const char *model = fact_id(place, USAGE_MODEL, arena), *region;

	if (model)
		out->model = model;
	take_mode(fact(place, "service_tier.type|service_tier|traffic_type"), arena, out);
	take_mode(fact(place, "speed"), arena, out);
	take_tier(place, out);
	if (path_first(place->root, "custom_id"))
		out->mode = "batch";
	region = word_of(fact(place, "inference_geo"), arena);
	if (region && strcmp(region, "global") != 0 && strcmp(region, "not_available") != 0)
		out->region = region;
}

/* A decimal, or one in quotes. */
static bool decimal(const struct usage_place_found *place, const char *path, struct arena *arena, bool *known,
	int64_t *nano, struct err *err)
{
	struct raw_json *value = fact(place, path);
	const char *text;
	int64_t read;

	if (!value || value->type == RAW_JSON_OBJECT)
		return true;
	text = value->type == RAW_JSON_STRING ? raw_json_string(value, arena) : value->text;
	if ((value->type != RAW_JSON_NUMBER && value->type != RAW_JSON_STRING) || !text ||
		!raw_json_decimal(text, value->type == RAW_JSON_STRING ? strlen(text) : value->len,
			place->format->cost_scale, &read))
		return err_set(err, ERR_INVALID, "%s must be a decimal number from 0 to 9007199 USD", path);
	value->read = true;
	*known = true;
	*nano = capped_sum(*nano, read);
	return true;
}

bool usage_cost(const struct usage_place_found *place, struct arena *arena, bool *known, int64_t *nano, struct err *err)
{
	const struct usage_format *format = place->format;
	bool told = false;
	int64_t sum = 0;

	if (!format->cost)
		return true;
	if (!decimal(place, format->cost, arena, &told, &sum, err))
		return false;
	if (told && format->more_cost && !decimal(place, format->more_cost, arena, &told, &sum, err))
		return false;
	if (sum > COUNT_MAX)
		return err_set(err, ERR_INVALID, "%s must be at most 9007199 USD", format->cost);
	if (told) {
		*known = true;
		*nano = sum;
	}
	return true;
}

static void list(const struct raw_json *value, const char *path, char out[USAGE_UNKNOWN_MAX])
{
	size_t len = strlen(out);
	int64_t number;
	char below[96];

	for (const struct raw_json *child = value->child; child; child = child->next) {
		snprintf(below, sizeof(below), "%s%s%.*s", path, path[0] && child->key_len ? "." : "",
			(int)(child->key_len < 40 ? child->key_len : 40), child->key ? child->key : "");
		if (child->child) {
			list(child, below, out);
			len = strlen(out);
			continue;
		}
		if (child->type != RAW_JSON_NUMBER || child->read ||
			(raw_json_decimal(child->text, child->len, 9, &number) && !number))
			continue;
		if (len + strlen(below) + child->len + 3 > USAGE_UNKNOWN_MAX || !utf8_valid(below, strlen(below)))
			continue;
		len += (size_t)snprintf(out + len, USAGE_UNKNOWN_MAX - len, "%s%s=%.*s", len ? " " : "", below,
			(int)child->len, child->text);
	}
}

void usage_unknown(struct raw_json *usage, char out[USAGE_UNKNOWN_MAX])
{
	list(usage, "", out);
}
