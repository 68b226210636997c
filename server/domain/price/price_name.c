/* Other spellings of model names, from a fixed table of exact rules (domain/price/price_name.h). */
#include "domain/price/price_name.h"

#include <ctype.h>
#include <string.h>

/* How a name's first part, up to a slash or a dot, names somebody, and the provider whom prices call so. */
struct part {
	const char *spelled, *provider;
};

/* Resell the models of vendors under the vendors' names. Hosts of open models are not among them: each has prices of its own. */
static const struct part resellers[] = {
	{"azure/", "azure"},
	{"azure_ai/", "azure_ai"},
	{"bedrock/", "bedrock"},
	{"bedrock_converse/", "bedrock"},
	{"litellm_proxy/", "litellm_proxy"},
	{"openrouter/", "openrouter"},
	{"vercel_ai_gateway/", "vercel_ai_gateway"},
	{"vertex_ai/", "vertex_ai"},
	{"vertex_ai_beta/", "vertex_ai"},
	{"vertex_ai-anthropic_models/", "vertex_ai"},
	{"vertex_ai-language-models/", "vertex_ai"},
};

/* Path segments of Bedrock that say how a model is called, not which. */
static const char *const ways[] = {"converse/", "invoke/"};

static const struct part vendors[] = {
	{"anthropic/", "anthropic"},
	{"cohere/", "cohere"},
	{"deepseek/", "deepseek"},
	{"deepseek-ai/", "deepseek"},
	{"gemini/", "google"},
	{"google/", "google"},
	{"mistral/", "mistral"},
	{"mistralai/", "mistral"},
	{"models/", "google"},
	{"openai/", "openai"},
	{"publishers/anthropic/models/", "anthropic"},
	{"publishers/google/models/", "google"},
	{"publishers/mistralai/models/", "mistral"},
	{"x-ai/", "xai"},
	{"xai/", "xai"},
};

/* Bedrock's ids: a region or none, a vendor, the model, a version. */
static const char *const regions[] = {"apac.", "au.", "ca.", "eu.", "global.", "jp.", "us.", "us-gov."};
static const struct part bedrock_vendors[] = {
	{"anthropic.", "anthropic"},
	{"cohere.", "cohere"},
	{"deepseek.", "deepseek"},
	{"mistral.", "mistral"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static const struct part *part_of(const struct part *parts, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (begins(text, parts[i].spelled))
			return &parts[i];
	return NULL;
}

/* Drops the first `len` bytes, unless nothing would be left. */
static bool drop_front(struct price_name *name, size_t len)
{
	if (!name->text[len])
		return false;
	memmove(name->text, name->text + len, strlen(name->text + len) + 1);
	return true;
}

/* Of several, the last one serves the model; those before it are proxies. */
static bool drop_reseller(struct price_name *name)
{
	const struct part *part = part_of(resellers, COUNT(resellers), name->text);

	if (!part || name->vendor || !drop_front(name, strlen(part->spelled)))
		return false;
	name->reseller = part->provider;
	return true;
}

static bool drop_way(struct price_name *name)
{
	for (size_t i = 0; i < COUNT(ways); i++)
		if (name->reseller && begins(name->text, ways[i]))
			return drop_front(name, strlen(ways[i]));
	return false;
}

static bool drop_vendor(struct price_name *name)
{
	const struct part *part = part_of(vendors, COUNT(vendors), name->text);

	if (!part || name->vendor || !drop_front(name, strlen(part->spelled)))
		return false;
	name->vendor = part->provider;
	return true;
}

static bool drop_region(struct price_name *name)
{
	for (size_t i = 0; i < COUNT(regions); i++) {
		size_t len = strlen(regions[i]);

		if (begins(name->text, regions[i]) &&
			part_of(bedrock_vendors, COUNT(bedrock_vendors), name->text + len)) {
			name->reseller = "bedrock";
			return drop_front(name, len);
		}
	}
	return false;
}

/* The length of `text` up to the digits at its end; its whole length when there are none. */
static size_t before_digits(const char *text, size_t len)
{
	while (len > 0 && isdigit((unsigned char)text[len - 1]))
		len--;
	return len;
}

/* -v1:0 and -v1 at the end of one of Bedrock's ids. */
static bool drop_version(struct price_name *name)
{
	size_t len = strlen(name->text), end = before_digits(name->text, len);

	if (!part_of(bedrock_vendors, COUNT(bedrock_vendors), name->text))
		return false;
	if (end < len && end > 0 && name->text[end - 1] == ':') {
		len = end - 1;
		end = before_digits(name->text, len);
	}
	if (end == len || end < 3 || memcmp(name->text + end - 2, "-v", 2) != 0)
		return false;
	name->reseller = "bedrock";
	name->text[end - 2] = '\0';
	return true;
}

static bool drop_bedrock_vendor(struct price_name *name)
{
	const struct part *part = part_of(bedrock_vendors, COUNT(bedrock_vendors), name->text);

	if (!part || name->vendor || !drop_front(name, strlen(part->spelled)))
		return false;
	name->reseller = "bedrock";
	name->vendor = part->provider;
	return true;
}

/* Vertex writes the version of a model behind an @; its vendor writes it behind a hyphen, or not at all. */
static bool respell_version(struct price_name *name)
{
	char *at = strchr(name->text, '@');

	if (!at || at == name->text)
		return false;
	if (strcmp(at, "@default") == 0)
		*at = '\0';
	else if (at[1] && before_digits(at, strlen(at)) == 1)
		*at = '-';
	else
		return false;
	name->reseller = "vertex_ai";
	return true;
}

/* OpenRouter writes claude-opus-4.5; Anthropic claude-opus-4-5. */
static bool respell_dots(struct price_name *name)
{
	bool changed = false;

	if (!begins(name->text, "claude-"))
		return false;
	for (char *dot = name->text; (dot = strchr(dot, '.')); dot++)
		if (isdigit((unsigned char)dot[-1]) && isdigit((unsigned char)dot[1])) {
			*dot = '-';
			changed = true;
		}
	return changed;
}

void price_name_init(struct price_name *name, const char *text)
{
	size_t len = strlen(text);

	*name = (struct price_name){0};
	if (len <= ID_MAX)
		memcpy(name->text, text, len + 1);
}

bool price_name_next(struct price_name *name)
{
	static bool (*const rules[])(struct price_name *) = {drop_reseller, drop_way, drop_vendor, drop_region,
		drop_version, drop_bedrock_vendor, respell_version, respell_dots};

	for (size_t i = 0; i < COUNT(rules); i++)
		if (rules[i](name))
			return true;
	return false;
}

bool price_is_vendor(const char *provider)
{
	for (size_t i = 0; i < COUNT(vendors); i++)
		if (strcmp(vendors[i].provider, provider) == 0)
			return true;
	return false;
}

/* "-20250929" with a possible month and day. */
static bool is_day(const char *digits)
{
	int month = (digits[0] - '0') * 10 + digits[1] - '0', day = (digits[2] - '0') * 10 + digits[3] - '0';

	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Does the text at `at` have this form? 9 is any digit. */
static bool has_form(const char *at, const char *form)
{
	for (; *form; form++, at++)
		if (*form == '9' ? !isdigit((unsigned char)*at) : *at != *form)
			return false;
	return !*at;
}

size_t price_name_undated(const char *text)
{
	size_t len = strlen(text);

	if (len > 7 && strcmp(text + len - 7, "-latest") == 0)
		return len - 7;
	if (len > 9 && has_form(text + len - 9, "-99999999") && is_day(text + len - 4))
		return len - 9;
	if (len > 11 && has_form(text + len - 11, "-9999-99-99")) {
		const char *date = text + len - 11;
		const char digits[] = {date[6], date[7], date[9], date[10]};

		if (is_day(digits))
			return len - 11;
	}
	return 0;
}
