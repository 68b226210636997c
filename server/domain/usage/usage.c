/* Reads providers' usage objects (domain/usage/usage.h). */
#include "domain/usage/usage.h"

#include <string.h>

#include "domain/limit/limit.h"
#include "domain/usage/place.h"
#include "domain/usage/resolve.h"

struct reader {
	struct arena *arena;
	const struct usage_format *named; /* NULL: to be recognized */
	const struct usage_format *format; /* of the objects read so far; NULL: none */
	struct usage_told told; /* of them, as the format puts a stream together */
	struct usage_round *round;
	int rounds;
	bool cached; /* one of the objects is of an answer that cost nothing */
	struct usage_sum sum; /* of the rounds */
	struct usage_reading *out;
	struct err *err;
};

static bool tell(const struct usage_place_found *place, struct usage_told *out, struct err *err)
{
	*out = (struct usage_told){0};
	for (int i = 0; i < USAGE_RULES_MAX && place->format->rule[i].kind != RULE_END; i++) {
		const struct usage_rule *rule = &place->format->rule[i];
		enum path_unit unit = rule->kind == RULE_ADD_UP	     ? PATH_UP
				      : rule->kind == RULE_ADD_COUNT ? PATH_COUNT
								     : PATH_WHOLE;
		bool outer = rule->path[0] == '^';
		struct path_sum sum;

		if (rule->kind == RULE_KNOWN) {
			path_known(place->usage, rule->path);
			continue;
		}
		if (!path_sum(outer ? place->outer : place->usage, rule->path + outer, unit, &sum, err))
			return false;
		out->told[i] = sum.told;
		out->value[i] = sum.sum;
	}
	return true;
}

static void meters_add(struct meters *to, const struct meters *more)
{
	for (int i = 0; i < METER_COUNT; i++)
		to->count[i] = capped_sum(to->count[i], more->count[i]);
}

static void add_round(struct reader *reader, const struct usage_told *told, const char *model)
{
	struct usage_sum sum;

	usage_resolve(reader->format, told, &sum);
	if (!reader->round)
		reader->round = arena_zalloc(reader->arena, USAGE_ROUNDS_MAX, sizeof(*reader->round));
	if (reader->rounds == USAGE_ROUNDS_MAX) {
		meters_add(&reader->round[USAGE_ROUNDS_MAX - 1].meters, &sum.meters);
	} else {
		reader->round[reader->rounds++] = (struct usage_round){.meters = sum.meters, .model = model};
	}
	meters_add(&reader->sum.meters, &sum.meters);
	reader->sum.inconsistent |= sum.inconsistent;
	reader->sum.total_known = (reader->rounds == 1 || reader->sum.total_known) && sum.total_known;
	reader->sum.total = capped_sum(reader->sum.total, sum.total);
	reader->sum.tokens = capped_sum(reader->sum.tokens, sum.tokens);
}

/* The requests that the object lists. Those of the last object of a stream count. */
static bool read_rounds(struct reader *reader, const struct usage_place_found *place)
{
	const char *path = place->format->rounds;
	bool outer = path && path[0] == '^';
	struct raw_json *found[USAGE_ROUNDS_MAX * 4];
	enum { MAX = sizeof(found) / sizeof(found[0]) };
	int count = path ? path_all(outer ? place->outer : place->usage, path + outer, found, MAX) : 0;

	if (!count)
		return true;
	if (count > MAX)
		return err_set(reader->err, ERR_INVALID, "%s has more than %d items", path + outer, MAX);
	reader->rounds = 0;
	reader->sum = (struct usage_sum){0};
	for (int i = 0; i < count; i++) {
		struct usage_place_found round = {
			.format = place->format, .usage = found[i], .outer = found[i], .root = found[i]};
		struct usage_reading facts = {.model = "", .mode = "", .region = ""};
		struct usage_told told;

		if (found[i]->type != RAW_JSON_OBJECT)
			return err_set(reader->err, ERR_INVALID, "%s must be a list of objects", path + outer);
		if (!tell(&round, &told, reader->err))
			return false;
		usage_facts(&round, reader->arena, &facts);
		add_round(reader, &told, facts.model);
	}
	return true;
}

static void merge(struct reader *reader, const struct usage_told *told)
{
	if (reader->format->stream == STREAM_LAST)
		reader->told = *told;
	for (int i = 0; reader->format->stream == STREAM_FIELDS && i < USAGE_RULES_MAX; i++) {
		reader->told.told[i] |= told->told[i];
		if (told->value[i] > reader->told.value[i])
			reader->told.value[i] = told->value[i];
	}
}

/* Is the object of an answer that came from a library's own cache? Nobody charges for it. */
static bool is_cached(const struct usage_place_found *place)
{
	const char *path = place->format->free_if_zero;
	struct path_sum sum;
	struct err unread;

	return path && path_sum(place->usage, path, PATH_UP, &sum, &unread) && sum.told && sum.sum == 0;
}

/* What an event of a stream told only so that it could be shown at once. */
static bool is_preview(struct raw_json *root)
{
	const struct raw_json *partial = path_first(root, "partial");

	return partial && partial->type == RAW_JSON_TRUE;
}

static bool read_object(struct reader *reader, struct raw_json *root)
{
	struct usage_reading *out = reader->out;
	struct usage_place_found place;
	struct usage_told told;
	bool known = false;
	int64_t nano = 0;

	if (root->type == RAW_JSON_NULL)
		return true;
	if (root->type != RAW_JSON_OBJECT)
		return err_set(reader->err, ERR_INVALID, "must be an object, or a list of objects");
	if (!usage_locate(reader->format ? reader->format : reader->named, root, &place))
		return true;
	reader->format = place.format;
	if (place.format->stream == STREAM_SUM && is_preview(root))
		return true;
	if (is_cached(&place)) {
		reader->cached = true;
		usage_facts(&place, reader->arena, out);
		return true;
	}
	if (!tell(&place, &told, reader->err) || !usage_cost(&place, reader->arena, &known, &nano, reader->err))
		return false;
	usage_facts(&place, reader->arena, out);
	if (known) {
		out->cost_nano = place.format->stream == STREAM_SUM ? capped_sum(out->cost_nano, nano) : nano;
		out->cost_known = true;
	}
	if (place.format->stream == STREAM_SUM) {
		add_round(reader, &told, "");
	} else {
		merge(reader, &told);
		if (!read_rounds(reader, &place))
			return false;
	}
	usage_unknown(place.usage, out->unknown);
	return true;
}

/* Fees that only the object itself has are those of its last round. */
static void complete_rounds(struct reader *reader, const struct meters *all)
{
	struct usage_round *last = &reader->round[reader->rounds - 1];

	for (int i = 0; i < METER_COUNT; i++) {
		int64_t more = all->count[i] - reader->sum.meters.count[i];

		if (meter_rows[i].side != SIDE_NONE || more <= 0)
			continue;
		last->meters.count[i] = capped_sum(last->meters.count[i], more);
		reader->sum.meters.count[i] = capped_sum(reader->sum.meters.count[i], more);
	}
}

/* Do the rounds have the object's tokens, or, where the object leaves some out, at least those? */
static bool rounds_fit(const struct reader *reader, int64_t tokens)
{
	return reader->format->rounds_lead ? reader->sum.tokens >= tokens : reader->sum.tokens == tokens;
}

/* Of the object and the rounds in it, what counts. */
static void conclude(struct reader *reader)
{
	struct usage_reading *out = reader->out;
	struct usage_sum sum = reader->sum;

	if (reader->format->stream != STREAM_SUM) {
		usage_resolve(reader->format, &reader->told, &sum);
		if (reader->rounds && !rounds_fit(reader, sum.tokens))
			sum.inconsistent = true;
		if (reader->rounds && reader->sum.tokens >= sum.tokens) {
			bool inconsistent = sum.inconsistent;

			complete_rounds(reader, &sum.meters);
			sum = reader->sum;
			sum.inconsistent |= inconsistent;
		} else {
			reader->rounds = 0;
		}
	}
	out->meters = sum.meters;
	out->inconsistent = sum.inconsistent;
	out->total_known = sum.total_known;
	out->total = sum.total;
	if (reader->rounds == 1 && !out->model[0])
		out->model = reader->round[0].model;
	if (reader->rounds > 1) {
		out->rounds = reader->rounds;
		out->round = reader->round;
	}
}

static bool is_zero(const struct meters *meters)
{
	int64_t any = 0;

	for (int i = 0; i < METER_COUNT; i++)
		any |= meters->count[i];
	return any == 0;
}

static bool read_all(struct reader *reader, struct raw_json *root)
{
	struct usage_reading *out = reader->out;
	bool list = root->type == RAW_JSON_ARRAY;
	int items = 0;

	for (struct raw_json *item = list ? root->child : root; item; item = list ? item->next : NULL) {
		if (++items > USAGE_ITEMS_MAX)
			return err_set(reader->err, ERR_INVALID, "is a list of more than %d items", USAGE_ITEMS_MAX);
		if (!read_object(reader, item))
			return false;
	}
	if (reader->format) {
		conclude(reader);
		out->format = reader->format->name;
	} else if (reader->named) {
		out->format = reader->named->name;
	} else if (root->child) {
		return err_set(reader->err, ERR_INVALID,
			"has no member by which a provider's usage can be recognized; name the provider");
	}
	if (!meters_check(&out->meters, "json", reader->err))
		return false;
	out->estimated = is_zero(&out->meters) && !(reader->cached && !reader->rounds) &&
			 !(reader->named && reader->named->empty_is_free && !root->child);
	return true;
}

bool usage_read(const char *provider, const char *json, size_t len, struct arena *arena, struct usage_reading *out,
	struct err *err)
{
	struct usage_reading reading = {.format = "", .model = "", .mode = "", .region = ""};
	struct reader reader = {.arena = arena, .out = &reading};
	struct err why = {0};
	struct raw_json *root;

	reader.err = &why;
	if (!usage_format_find(provider, &reader.named))
		return err_invalid(err, "provider", "is not known; known are %s", usage_format_names());
	if (!raw_json_parse(json, len, arena, &root, &why) || !read_all(&reader, root)) {
		/* meters_check names the field itself. */
		return err_invalid(err, "json", "%s", why.field[0] ? why.text + strlen(why.field) + 2 : why.text);
	}
	*out = reading;
	return true;
}

const char *usage_purchase(const struct usage_reading *reading, const char *checked, struct arena *arena)
{
	const char *at = strchr(checked, '@'), *region = reading->region[0] ? reading->region : at ? at + 1 : "";
	size_t len = at ? (size_t)(at - checked) : strlen(checked);
	const char *mode = reading->mode[0] ? reading->mode : arena_strndup(arena, checked, len);

	/* A batch is what was sent as one. Its responses may still call their tier standard. */
	if (strcmp(mode, "standard") == 0 && len == 5 && memcmp(checked, "batch", 5) == 0)
		mode = "batch";
	if (!region[0])
		return mode;
	return arena_printf(arena, "%s@%s", strcmp(mode, "standard") == 0 ? "" : mode, region);
}
