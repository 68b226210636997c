/*
 * How many tokens a text has, about, without a tokenizer's tables. Declared in bursar.h. docs/clients-llm.md has the rule;
 * client/estimate/rule.json has its numbers, for every language's client, in thousandths of a token.
 */
#include "c/bursar.h"

#include <stdlib.h>

enum class_id {
	CLASS_NONE,
#define ESTIMATE_WORD(name, covers, more) CLASS_##name,
#define ESTIMATE_CHARACTER(name, each) CLASS_##name,
#include "c/estimate_rule.def"
};

static const struct class
{
	bool word; /* its characters form words; else each of them costs `cost` */
	int covers, cost; /* a word's first characters are one token; each further one costs `cost` */
} classes[] = {
	[CLASS_NONE] = {false, 0, 0},
#define ESTIMATE_WORD(name, covers, more) [CLASS_##name] = {true, covers, more},
#define ESTIMATE_CHARACTER(name, each) [CLASS_##name] = {false, 0, each},
#include "c/estimate_rule.def"
};

static const struct range {
	uint32_t from, to;
	enum class_id class;
} ranges[] = {
#define ESTIMATE_RANGE(from, to, name) {from, to, CLASS_##name},
#include "c/estimate_rule.def"
};

enum {
#define ESTIMATE_NUMBER(name, value) rule_##name = (value),
#include "c/estimate_rule.def"
};

enum piece { SPACE, DIGIT, MARK, LETTER };

/* One reading of a text, from its first code point to its last. */
struct reading {
	const uint32_t *points;
	size_t count, at;
	size_t runs_checked; /* before this there is no unbroken run that has not been looked at */
	enum piece before; /* what the last piece was */
	uint32_t last_point;
};

static enum class_id class_of(uint32_t point)
{
	size_t low = 0, high = sizeof(ranges) / sizeof(*ranges);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (ranges[middle].to < point)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sizeof(ranges) / sizeof(*ranges) && ranges[low].from <= point ? ranges[low].class : CLASS_NONE;
}

static bool is_space(uint32_t point)
{
	return (point >= 9 && point <= 13) || point == 32 || point == 0x85 || point == 0xa0 ||
	       (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 || point == 0x3000;
}

static bool is_newline(uint32_t point)
{
	return point == '\n' || point == '\r';
}

static bool is_digit(uint32_t point)
{
	return point >= '0' && point <= '9';
}

static bool is_upper(uint32_t point)
{
	return point >= 'A' && point <= 'Z';
}

static bool is_lower(uint32_t point)
{
	return point >= 'a' && point <= 'z';
}

static bool more(const struct reading *reading)
{
	return reading->at < reading->count;
}

static uint32_t here(const struct reading *reading)
{
	return reading->points[reading->at];
}

/*
 * One space goes with the word that follows, but not with digits. Several are a token, and so are ends of lines, unless they
 * follow a mark.
 */
static int64_t spaces(struct reading *reading)
{
	size_t begin = reading->at, after_line = begin, rest;
	bool joined = reading->before == MARK && is_newline(here(reading));
	int64_t lines;

	for (; more(reading) && is_space(here(reading)); reading->at++)
		if (is_newline(here(reading)))
			after_line = reading->at + 1;
	lines = after_line > begin && !joined ? rule_spaces_lines : 0;
	reading->before = SPACE;
	rest = reading->at - after_line;
	if (rest > 1)
		return lines + rule_spaces_several;
	return lines + (rest == 1 && more(reading) && is_digit(here(reading)) ? rule_spaces_before_digit : 0);
}

/* Of a character of a run: 1 small letter, 2 capital, 3 digit, 4 one of + / = _ -, 0 anything else. */
static int run_kind(uint32_t point)
{
	if (is_lower(point))
		return 1;
	if (is_upper(point))
		return 2;
	if (is_digit(point))
		return 3;
	return point == '+' || point == '/' || point == '=' || point == '_' || point == '-' ? 4 : 0;
}

/* A capital after a small letter, or a digit beside a letter: what words seldom have. */
static bool changed(int before, int now)
{
	return (before == 1 && now == 2) || (before == 3 && now < 3) || (now == 3 && before < 3);
}

/*
 * A long unbroken run of letters and digits that often change: base64, hexadecimal, ids. 0 when there is none here.
 */
static int64_t run(struct reading *reading)
{
	size_t end = reading->at, changes = 0, length;
	int kind = run_kind(here(reading)), before = kind;

	if (reading->at < reading->runs_checked || kind == 0 || kind == 4)
		return 0;
	for (; end < reading->count && (kind = run_kind(reading->points[end])) != 0; end++) {
		changes += changed(before, kind);
		before = kind;
	}
	length = end - reading->at;
	reading->runs_checked = end;
	if (length < rule_runs_length || changes * 10 < length * rule_runs_changes_per_10)
		return 0;
	reading->at = end;
	reading->before = LETTER;
	return (int64_t)length * rule_runs_each;
}

static int64_t digits(struct reading *reading)
{
	size_t begin = reading->at;

	while (more(reading) && is_digit(here(reading)))
		reading->at++;
	reading->before = DIGIT;
	return (int64_t)((reading->at - begin + rule_digits_group - 1) / rule_digits_group) * 1000;
}

/* A word is of the last of these that one of its letters is in; 0 for other scripts. */
static int latin_rank(enum class_id class)
{
	return class == CLASS_latin ? 1 : class == CLASS_accented ? 2 : class == CLASS_vietnamese ? 3 : 0;
}

/* A word of one script. A Latin one ends where a small letter is followed by a capital, and may have accents. */
static int64_t word(struct reading *reading, enum class_id first)
{
	size_t begin = reading->at, length;
	enum class_id class = first;

	for (reading->at++; more(reading); reading->at++) {
		enum class_id next = class_of(here(reading));
		bool latin = latin_rank(first) && latin_rank(next);

		if (latin ? is_upper(here(reading)) && is_lower(reading->points[reading->at - 1]) : next != first)
			break;
		if (latin_rank(next) > latin_rank(class))
			class = next;
	}
	length = reading->at - begin;
	if (length <= (size_t)classes[class].covers)
		return 1000;
	return 1000 + (int64_t)(length - (size_t)classes[class].covers) * classes[class].cost;
}

/* Punctuation and everything else. A repeated mark counts once; a single one goes with the letters that follow it. */
static int64_t marks(struct reading *reading)
{
	size_t begin = reading->at;
	int64_t different = 0;
	bool joined;

	for (; more(reading) && !is_space(here(reading)) && !is_digit(here(reading)); reading->at++) {
		if (class_of(here(reading)) != CLASS_NONE)
			break;
		different += reading->at == begin || here(reading) != reading->points[reading->at - 1];
	}
	joined = reading->at - begin == 1 && more(reading) && classes[class_of(here(reading))].word &&
		 reading->last_point != ' ';
	reading->before = MARK;
	return joined ? rule_marks_before_letter : rule_marks_first + (different - 1) * rule_marks_more;
}

static int64_t piece(struct reading *reading)
{
	enum class_id class;
	int64_t cost;

	if (is_space(here(reading)))
		return spaces(reading);
	cost = run(reading);
	if (cost > 0)
		return cost;
	if (is_digit(here(reading)))
		return digits(reading);
	class = class_of(here(reading));
	if (class == CLASS_NONE)
		return marks(reading);
	reading->before = LETTER;
	if (classes[class].word)
		return word(reading, class);
	reading->at++;
	return classes[class].cost;
}

/* The code point at `text`, and its length; a byte that is not UTF-8 is one character, U+FFFD. */
static uint32_t decode(const unsigned char *text, size_t len, size_t *used)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t bytes = text[0] < 0x80	? 1
		       : text[0] < 0xc0 ? 0
		       : text[0] < 0xe0 ? 2
		       : text[0] < 0xf0 ? 3
		       : text[0] < 0xf8 ? 4
					: 0;
	uint32_t point = bytes == 1 ? text[0] : text[0] & (0x7fu >> bytes);

	*used = 1;
	if (bytes == 0 || bytes > len)
		return 0xfffd;
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0xfffd;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < least[bytes] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0xfffd;
	*used = bytes;
	return point;
}

int64_t bursar_estimate_tokens(const char *text, size_t len)
{
	uint32_t *points = calloc(len + 1, sizeof(*points));
	struct reading reading = {.points = points, .last_point = '\n'};
	int64_t cost = 0;

	if (!points)
		abort();
	for (size_t at = 0, used; at < len; at += used)
		points[reading.count++] = decode((const unsigned char *)text + at, len - at, &used);
	while (more(&reading)) {
		cost += piece(&reading);
		reading.last_point = points[reading.at - 1];
	}
	free(points);
	return (cost + 999) / 1000;
}
