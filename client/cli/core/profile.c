/* The text of the profiles file: "[profile]" lines, "setting = value" lines and comments. */
#include "cli/core/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "cli/text/parse.h"

const char *const profile_setting_names[SETTING_COUNT] = {
	[SETTING_ADDR] = "addr",
	[SETTING_KEY_FILE] = "key-file",
	[SETTING_TENANT] = "tenant",
	[SETTING_TLS_CA] = "tls-ca",
	[SETTING_TLS_CERT] = "tls-cert",
	[SETTING_TLS_KEY] = "tls-key",
	[SETTING_TIMEOUT] = "timeout",
	[SETTING_JSON] = "json",
	[SETTING_COLOR] = "color",
};

const char *const profile_setting_variables[SETTING_COUNT] = {
	[SETTING_ADDR] = "BURSAR_ADDR",
	[SETTING_KEY_FILE] = "BURSAR_KEY_FILE",
	[SETTING_TLS_CA] = "BURSAR_TLS_CA",
	[SETTING_TLS_CERT] = "BURSAR_TLS_CERT",
	[SETTING_TLS_KEY] = "BURSAR_TLS_KEY",
};

static const char default_word[] = "default";

/* A part of the text. */
struct span {
	const char *at;
	size_t len;
};

enum line_kind { LINE_OTHER, LINE_PROFILE, LINE_SETTING, LINE_WRONG };

struct line {
	enum line_kind kind;
	struct span all; /* including the line end */
	struct span name; /* of the profile or setting */
	struct span value;
};

static struct span trim(struct span span)
{
	while (span.len > 0 && strchr(" \t\r\n", span.at[span.len - 1]))
		span.len--;
	while (span.len > 0 && strchr(" \t", span.at[0])) {
		span.at++;
		span.len--;
	}
	return span;
}

static bool span_is(struct span span, const char *text)
{
	return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

static struct line line_of(struct span all)
{
	struct line line = {.kind = LINE_WRONG, .all = all};
	struct span text = trim(all);
	const char *equals;

	if (text.len == 0 || text.at[0] == '#' || text.at[0] == ';') {
		line.kind = LINE_OTHER;
	} else if (text.at[0] == '[') {
		line.name = trim((struct span){text.at + 1, text.len - 1 - (text.at[text.len - 1] == ']')});
		if (text.len > 1 && text.at[text.len - 1] == ']')
			line.kind = LINE_PROFILE;
	} else {
		equals = memchr(text.at, '=', text.len);
		if (equals) {
			line.kind = LINE_SETTING;
			line.name = trim((struct span){text.at, (size_t)(equals - text.at)});
			line.value = trim((struct span){equals + 1, text.len - (size_t)(equals + 1 - text.at)});
		}
	}
	return line;
}

/* The line at `*at`, which moves past it; false at the end. */
static bool next_line(struct span text, size_t *at, struct line *line)
{
	const char *end;

	if (*at >= text.len)
		return false;
	end = memchr(text.at + *at, '\n', text.len - *at);
	*line = line_of((struct span){text.at + *at, end ? (size_t)(end + 1 - text.at) - *at : text.len - *at});
	*at += line->all.len;
	return true;
}

bool profile_name_check(const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len < 1 || len > PROFILE_NAME_MAX ||
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != len)
		return err_set(err, ERR_INVALID, "a profile's name must be 1 to %d characters of a-z A-Z 0-9 . _ -",
			PROFILE_NAME_MAX);
	return true;
}

bool profile_setting_find(const char *name, enum profile_setting *out, struct err *err)
{
	for (int i = 0; i < SETTING_COUNT; i++) {
		if (strcmp(profile_setting_names[i], name) == 0) {
			*out = (enum profile_setting)i;
			return true;
		}
	}
	return err_set(err, ERR_INVALID,
		"'%.64s' is not a setting; use one of addr, key-file, tenant, tls-ca, tls-cert, tls-key, timeout, "
		"json, color",
		name);
}

bool profile_value_check(const char *setting, const char *value, enum profile_setting *out, struct err *err)
{
	size_t len = strlen(value);
	int64_t us;

	if (!profile_setting_find(setting, out, err))
		return false;
	if (len < 1 || len > PROFILE_VALUE_MAX || !utf8_valid(value, len))
		return err_set(err, ERR_INVALID, "%s: must be 1 to %d bytes of text", setting, PROFILE_VALUE_MAX);
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(err, ERR_INVALID, "%s: has a control character", setting);
	if (*out == SETTING_TIMEOUT)
		return parse_patience(value, len, &us, err) || err_prefix(err, "%s: ", setting);
	if ((*out == SETTING_JSON || *out == SETTING_COLOR) && strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return err_set(err, ERR_INVALID, "%s: '%.64s' must be yes or no", setting, value);
	return true;
}

static char *text_of(struct span span)
{
	return memcpy(mem_zalloc(span.len + 1, 1), span.at, span.len);
}

static bool profile_begin(struct profiles *out, struct span name, struct profile **profile, struct err *err)
{
	char text[PROFILE_NAME_MAX + 2] = "";

	memcpy(text, name.at, name.len < sizeof(text) ? name.len : sizeof(text) - 1);
	if (!profile_name_check(text, err))
		return false;
	if (profile_find(out, text))
		return err_set(err, ERR_INVALID, "profile %s is already defined above", text);
	if (out->count == PROFILES_MAX)
		return err_set(err, ERR_INVALID, "there are more than %d profiles", PROFILES_MAX);
	*profile = &out->each[out->count++];
	memcpy((*profile)->name, text, sizeof((*profile)->name));
	return true;
}

/* The only setting allowed above the first profile names the default profile. */
static bool default_read(struct profiles *out, const char *setting, const char *value, struct err *err)
{
	if (strcmp(setting, default_word) != 0)
		return err_set(err, ERR_INVALID, "'%.64s' is above the first [profile], where only default is allowed",
			setting);
	if (out->default_name[0])
		return err_set(err, ERR_INVALID, "default: is given twice");
	if (!profile_name_check(value, err))
		return err_prefix(err, "default: ");
	memcpy(out->default_name, value, strlen(value) + 1);
	return true;
}

static bool setting_read(struct profile *profile, const char *setting, const char *value, struct err *err)
{
	enum profile_setting which;

	if (!profile_value_check(setting, value, &which, err))
		return false;
	if (profile->value[which])
		return err_set(err, ERR_INVALID, "%s: is given twice", setting);
	profile->value[which] = text_of((struct span){value, strlen(value)});
	return true;
}

static bool line_read(struct profiles *out, const struct line *line, struct profile **profile, struct err *err)
{
	char *setting, *value;
	bool right;

	if (line->kind == LINE_OTHER)
		return true;
	if (line->kind == LINE_PROFILE)
		return profile_begin(out, line->name, profile, err);
	if (line->kind == LINE_WRONG)
		return err_set(err, ERR_INVALID, "must be a [profile], a 'setting = value' or a # comment");
	setting = text_of(line->name);
	value = text_of(line->value);
	right = *profile ? setting_read(*profile, setting, value, err) : default_read(out, setting, value, err);
	free(setting);
	free(value);
	return right;
}

bool profiles_parse(const char *text, size_t len, struct profiles *out, struct err *err)
{
	struct profile *profile = NULL;
	struct line line;
	size_t at = 0;
	int number = 0;

	*out = (struct profiles){0};
	if (len > PROFILE_FILE_MAX)
		return err_set(err, ERR_INVALID, "1: the file is larger than %d bytes", PROFILE_FILE_MAX);
	while (next_line((struct span){text, len}, &at, &line)) {
		number++;
		if (memchr(line.all.at, '\0', line.all.len))
			return err_set(err, ERR_INVALID, "%d: has a NUL character", number);
		if (!line_read(out, &line, &profile, err))
			return err_prefix(err, "%d: ", number);
	}
	return true;
}

void profiles_release(struct profiles *profiles)
{
	for (size_t i = 0; i < profiles->count; i++)
		for (int k = 0; k < SETTING_COUNT; k++)
			free(profiles->each[i].value[k]);
	profiles->count = 0;
}

const struct profile *profile_find(const struct profiles *profiles, const char *name)
{
	for (size_t i = 0; i < profiles->count; i++)
		if (strcmp(profiles->each[i].name, name) == 0)
			return &profiles->each[i];
	return NULL;
}

static void put_setting(struct buf *out, const char *setting, const char *value)
{
	if (value)
		buf_putf(out, "%s = %s\n", setting, value);
}

void profile_text_set(struct buf *out, const char *text, const char *profile, const char *setting, const char *value)
{
	struct span all = {text, strlen(text)}, old = {NULL, 0};
	bool inside = !*profile, found = inside;
	size_t at = 0, behind = 0; /* after the last non-empty line of the profile */
	struct line line;

	while (next_line(all, &at, &line)) {
		if (line.kind == LINE_PROFILE) {
			inside = span_is(line.name, profile);
			found |= inside;
		}
		if (inside && (line.kind != LINE_OTHER || trim(line.all).len > 0))
			behind = at;
		if (inside && line.kind == LINE_SETTING && span_is(line.name, setting))
			old = line.all;
	}
	if (!found)
		behind = all.len;
	at = old.at ? (size_t)(old.at - text) : behind;
	buf_put(out, text, at);
	if (at > 0 && text[at - 1] != '\n')
		buf_put_str(out, "\n");
	if (!found)
		buf_putf(out, "%s[%s]\n", at > 0 ? "\n" : "", profile);
	put_setting(out, setting, value);
	if (!*profile && value && text[at + old.len] == '[')
		buf_put_str(out, "\n");
	buf_put_str(out, text + at + old.len);
}

void profile_text_drop(struct buf *out, const char *text, const char *profile)
{
	struct span all = {text, strlen(text)};
	bool inside = false;
	struct line line;
	size_t at = 0;

	while (next_line(all, &at, &line)) {
		if (line.kind == LINE_PROFILE)
			inside = span_is(line.name, profile);
		if (!inside)
			buf_put(out, line.all.at, line.all.len);
	}
}
