/* Translates the API's field names and microseconds to the command line's terms. */
#include "cli/core/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text/format.h"
#include "cli/text/plain.h"

enum { NAME_MAX_LEN = 64 };

/* Fields whose option has a different name. All others are named like their option, plus a unit. */
static const struct {
	const char *field, *option;
} renamed[] = {
	{"grace_until", "until"},
	{"grace_percent", "percent"},
	{"reservation_ttl", "ttl"},
	{"expires_at", "expires"},
	{"effective_from", "from"},
	{"effective_to", "to"},
	{"effective_to", "until"},
	{"cost_nano_usd", "cost"},
	{"id_prefix", "prefix"},
	{"request_id", "id"},
	{"interfaces", "interface"},
	{"addresses", "address"},
	{"page_size", "limit"},
	{"account", "user"},
	{"percents", "percent"},
	{"amounts", "amount"},
	{"minimum_nano_usd", "minimum"},
	{"target", "webhook"},
	{"target", "email"},
	{"target", "chat"},
	{"target", "command"},
	{"url", "slack"},
	{"url", "discord"},
	{"url", "teams"},
	{"url", "server"},
	{"token", "telegram"},
	{"signing_secrets", "signing-secret"},
	{"headers", "header"},
	{"quiet_from_minute", "quiet"},
	{"quiet_to_minute", "quiet"},
	{"quiet_zone", "quiet"},
	{"rate_per_minute", "rate"},
	{"disabled", "enabled"},
};

static const struct option *option_find(const struct cli *cli, const char *name)
{
	for (const struct option *option = cli->command->options; option->name; option++)
		if (strcmp(option->name, name) == 0)
			return option;
	return NULL;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	return len > strlen(end) && memcmp(text + len - strlen(end), end, strlen(end)) == 0;
}

/* Of several options that may set the field, the one that was given. */
static const struct option *option_renamed(const struct cli *cli, const char *name)
{
	const struct option *first = NULL;

	for (size_t i = 0; i < sizeof(renamed) / sizeof(*renamed); i++) {
		const struct option *option =
			strcmp(renamed[i].field, name) == 0 ? option_find(cli, renamed[i].option) : NULL;

		if (option && option_given(cli, option->name))
			return option;
		if (!first)
			first = option;
	}
	return first;
}

/*
 * The option that sets the field, or a list that the field is an item of; NULL when an argument sets it, or nothing on the command line
 * does.
 */
static const struct option *option_of(const struct cli *cli, const char *field, size_t len)
{
	char name[NAME_MAX_LEN] = "";
	const struct option *option;

	if (len == 0 || len >= sizeof(name))
		return NULL;
	memcpy(name, field, len);
	name[strcspn(name, "[")] = '\0';
	len = strlen(name);
	if (ends_with(name, len, "_us"))
		name[len - 3] = '\0';
	else if (ends_with(name, len, "_day"))
		name[len - 4] = '\0';
	else if (ends_with(name, len, "_s"))
		name[len - 2] = '\0';
	option = option_renamed(cli, name);
	if (option)
		return option;
	for (char *p = name; *p; p++)
		if (*p == '_')
			*p = '-';
	return option_find(cli, name);
}

/*
 * Appends the argument in `args` that sets the field: with "ID TIER", TIER for "tier", and the first one for "id" and
 * "name".
 */
static void put_argument(struct buf *out, const struct cli *cli, const char *field)
{
	const char *args = cli->command->args;
	size_t first = strcspn(args, " "), len_field = strlen(field);

	for (const char *arg = args; *arg; arg += strcspn(arg, " ") + (arg[strcspn(arg, " ")] == ' ')) {
		const char *name = arg + (*arg == '[');
		size_t len = strcspn(name, " ].");

		if (strlen(field) == len && strncasecmp(name, field, len) == 0) {
			buf_put(out, name, len);
			return;
		}
	}
	if (*args && (strcmp(field, "id") == 0 || strcmp(field, "name") == 0)) {
		buf_put(out, args + (*args == '['), first - (*args == '[') - (args[first - 1] == ']'));
		return;
	}
	if (strcmp(field, "name") == 0 && option_find(cli, "pool")) {
		buf_put_str(out, "--pool");
		return;
	}
	if (ends_with(field, len_field, "_us"))
		len_field -= 3;
	for (size_t i = 0; i < len_field; i++)
		buf_put(out, field[i] == '_' ? " " : field + i, 1);
}

/* "limits[1].until_us" is about the second LIMIT argument. */
static const char *list_place(struct buf *out, const char *field)
{
	const char *open = strstr(field, "limits[");
	char *end;
	long at;

	if (!open)
		return field;
	at = strtol(open + 7, &end, 10);
	buf_putf(out, "limit %ld: ", at + 1);
	return *end == ']' && end[1] == '.' ? end + 2 : "";
}

static void put_field(struct buf *out, const struct cli *cli, const char *field)
{
	const struct option *option;
	const char *dot, *rest = list_place(out, field);
	bool in_list = rest != field;

	dot = strrchr(rest, '.');
	rest = dot ? dot + 1 : rest;
	if (!*rest)
		return;
	option = in_list ? NULL : option_of(cli, rest, strlen(rest));
	if (option) {
		buf_putf(out, "--%s: ", option->name);
		return;
	}
	if (in_list)
		buf_put(out, rest, ends_with(rest, strlen(rest), "_us") ? strlen(rest) - 3 : strlen(rest));
	else
		put_argument(out, cli, rest);
	buf_put_str(out, ": ");
}

/* The value as it was typed if it is that number, else such as "720h". */
static void put_duration_word(struct buf *out, const struct cli *cli, const struct option *option, int64_t us)
{
	if (option && option_given(cli, option->name) && option_number(cli, option->name, 0) == us)
		put_plain(out, option_text(cli, option->name));
	else if (us > 0)
		put_duration_exact(out, us);
	else
		buf_putf(out, "%" PRId64, us);
}

static bool is_name_char(char c)
{
	return islower((unsigned char)c) || c == '_';
}

/* Translates a name or a number in the message; copies anything else. */
static const char *put_word(struct buf *out, const struct cli *cli, const char *p, const struct option *times)
{
	size_t len = 0;
	const struct option *option;
	char *end;

	if (isdigit((unsigned char)*p)) {
		int64_t us = strtoll(p, &end, 10);

		if (times)
			put_duration_word(out, cli, times, us);
		else
			buf_put(out, p, (size_t)(end - p));
		return end;
	}
	if (strncmp(p, "limits[", 7) == 0 && isdigit((unsigned char)p[7])) {
		buf_putf(out, "limit %ld", strtol(p + 7, &end, 10) + 1);
		return end + (*end == ']');
	}
	while (is_name_char(p[len]))
		len++;
	option = memchr(p, '_', len) ? option_of(cli, p, len) : NULL;
	if (option)
		buf_putf(out, "--%s", option->name);
	else
		buf_put(out, p, len ? len : 1);
	return p + (len ? len : 1);
}

static void put_words(struct buf *out, const struct cli *cli, const char *field, const char *message)
{
	size_t field_len = strlen(field);
	const struct option *option = option_of(cli, field, field_len);
	const struct option *times =
		ends_with(field, field_len, "_us") && option && option->type == OPTION_DURATION ? option : NULL;
	struct buf words = {0};

	put_field(out, cli, field);
	for (const char *p = message; *p;) {
		/* Translate only from the beginning of a word. */
		if (p > message && (isalnum((unsigned char)p[-1]) || p[-1] == '_' || p[-1] == '-') &&
			(isalnum((unsigned char)*p) || *p == '_')) {
			buf_put(&words, p++, 1);
			continue;
		}
		p = put_word(&words, cli, p, times);
	}
	put_plain(out, buf_str(&words));
	buf_release(&words);
}

/* NOT_FOUND has no details: its text begins with the field. Moves *message past it. */
static void field_in_front(char field[NAME_MAX_LEN], const char **message)
{
	size_t len = strspn(*message, "abcdefghijklmnopqrstuvwxyz_.[]0123456789");

	if (len == 0 || len >= NAME_MAX_LEN || strncmp(*message + len, ": ", 2) != 0)
		return;
	memcpy(field, *message, len);
	field[len] = '\0';
	*message += len + 2;
}

void words_put(struct buf *out, const struct cli *cli, const char *field, const char *message)
{
	char front[NAME_MAX_LEN] = "";

	if (!*field) {
		field_in_front(front, &message);
		field = front;
	}
	put_words(out, cli, field, message);
}
