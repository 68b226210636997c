/* Finds the price to use for a model without one (domain/price/price_family.h). */
#include "domain/price/price_family.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "domain/limit/name.h"
#include "domain/price/price_book.h"

bool price_family_prefix(const char *pattern, const char *field, char out[ID_MAX + 1], struct err *err)
{
	size_t len = strlen(pattern);

	if (len < 2 || len > ID_MAX || strchr(pattern, '*') != pattern + len - 1)
		return err_invalid(err, field,
			"must be the beginning of model names and one * at the end, such as gpt-6*; for a single model "
			"use an alias");
	model_fold(pattern, out);
	out[len - 1] = '\0';
	return true;
}

/* By tenant and prefix, the newest first. */
static int compare_families(const void *a, const void *b)
{
	const struct price_family *x = a, *y = b;
	int order = strcmp(x->tenant, y->tenant);

	if (order == 0)
		order = strcmp(x->prefix, y->prefix);
	return order ? order : (x->from_us < y->from_us) - (x->from_us > y->from_us);
}

void price_book_families(struct price_book *book, const struct price_family *families, int count)
{
	book->families = mem_zalloc((size_t)count + 1, sizeof(*families));
	book->family_count = count;
	if (count == 0)
		return;
	memcpy(book->families, families, (size_t)count * sizeof(*families));
	qsort(book->families, (size_t)count, sizeof(*families), compare_families);
}

const struct price_family *price_families(const struct price_book *book, int *count)
{
	*count = book->family_count;
	return book->families;
}

/* The first rule of the tenant with that prefix; the number of rules when there is none. */
static int first_rule(const struct price_book *book, const char *tenant, const char *text, size_t len)
{
	int low = 0, high = book->family_count;

	while (low < high) {
		int middle = low + (high - low) / 2;
		const struct price_family *rule = &book->families[middle];
		int order = strcmp(rule->tenant, tenant);

		if (order == 0)
			order = strncmp(rule->prefix, text, len);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A rule whose price is not in force, or that begins later, is passed over. */
static const struct price *rule_price(struct price_query *query, const char *tenant, const char *text, size_t len)
{
	const struct price_book *book = query->book;
	const struct price *found = NULL;

	for (int i = first_rule(book, tenant, text, len); !found && i < book->family_count; i++) {
		const struct price_family *rule = &book->families[i];

		if (strcmp(rule->tenant, tenant) != 0 || strncmp(rule->prefix, text, len) != 0 || rule->prefix[len])
			break;
		if (rule->from_us <= query->at_us)
			found = price_find_exact(query, rule->provider, rule->model);
	}
	return found;
}

/* The longest rule of the tenant that matches the text, in lower case; *len: how long it is. */
static const struct price *longest_rule(struct price_query *query, const char *tenant, const char *text, size_t *len)
{
	const struct price *found = NULL;

	for (*len = strlen(text); *len > 0; (*len)--) {
		found = rule_price(query, tenant, text, *len);
		if (found)
			break;
	}
	return found;
}

static const struct price *family_of(struct price_query *query, const struct price_name *name)
{
	const struct price *found = NULL, *dated = NULL;
	struct price_name undated = *name;
	size_t len = 0, undated_len = price_name_undated(name->text);
	char text[ID_MAX + 1];

	model_fold(name->text, text);
	if (*query->tenant)
		found = longest_rule(query, query->tenant, text, &len);
	if (found)
		return found;
	found = longest_rule(query, "", text, &len);
	if (undated_len > len) {
		undated.text[undated_len] = '\0';
		dated = price_find_spelled(query, &undated);
	}
	return dated ? dated : found;
}

const struct price *price_find_family(
	const struct price_book *book, const char *tenant, const char *account, const char *model, int64_t at_us)
{
	struct price_query query = price_query_of(book, tenant, account, at_us);
	const struct price *found;
	struct price_name name;

	price_name_init(&name, model);
	do
		found = family_of(&query, &name);
	while (!found && price_name_next(&name));
	return found;
}
