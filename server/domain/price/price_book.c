/* The prices of all models, sorted for lookup: lookups allocate nothing and may run in any number of threads. */
#include "domain/price/price_book.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* When several providers have the same bare id, the earliest here wins; the rest follow by name. */
static const char *const provider_order[] = {
	"openai", "anthropic", "google", "mistral", "deepseek", "xai", "groq", "cohere", "ollama"};

#define PROVIDER_ORDER ((int)(sizeof(provider_order) / sizeof(provider_order[0])))

static int provider_rank(const char *provider)
{
	int rank = 0;

	while (rank < PROVIDER_ORDER && strcmp(provider_order[rank], provider) != 0)
		rank++;
	return rank;
}

static int compare_key(const struct price *price, const char *model, const char *tenant, const char *account)
{
	int order = strcmp(price->model, model);

	if (order == 0)
		order = strcmp(price->tenant, tenant);
	return order ? order : strcmp(price->account, account);
}

/* By model, tenant, account: a lookup reads one range; in it the preferred provider comes first, with its latest row
 * first. */
static int compare_prices(const void *a, const void *b)
{
	const struct price *x = a, *y = b;
	int order = compare_key(x, y->model, y->tenant, y->account);

	if (order == 0)
		order = provider_rank(x->provider) - provider_rank(y->provider);
	if (order == 0)
		order = strcmp(x->provider, y->provider);
	return order ? order : (x->from_us < y->from_us) - (x->from_us > y->from_us);
}

static int compare_aliases(const void *a, const void *b)
{
	const struct price_alias *x = a, *y = b;
	int order = strcmp(x->alias, y->alias);

	return order ? order : strcmp(x->tenant, y->tenant);
}

struct price_book *price_book_new(
	const struct price *prices, int count, const struct price_alias *aliases, int alias_count)
{
	struct price_book *book = mem_zalloc(1, sizeof(*book));

	book->prices = mem_zalloc((size_t)count + 1, sizeof(*prices));
	book->aliases = mem_zalloc((size_t)alias_count + 1, sizeof(*aliases));
	book->count = count;
	book->alias_count = alias_count;
	if (count > 0)
		memcpy(book->prices, prices, (size_t)count * sizeof(*prices));
	if (alias_count > 0)
		memcpy(book->aliases, aliases, (size_t)alias_count * sizeof(*aliases));
	qsort(book->prices, (size_t)count, sizeof(*prices), compare_prices);
	qsort(book->aliases, (size_t)alias_count, sizeof(*aliases), compare_aliases);
	return book;
}

void price_book_free(struct price_book *book)
{
	if (!book)
		return;
	free(book->prices);
	free(book->aliases);
	free(book);
}

/* The first price that does not sort before the key. */
static int lower_bound(const struct price_book *book, const char *model, const char *tenant, const char *account)
{
	int low = 0, high = book->count;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (compare_key(&book->prices[middle], model, tenant, account) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool in_force(const struct price *price, int64_t at_us)
{
	return price->from_us <= at_us && (price->to_us == 0 || at_us < price->to_us);
}

/* What to look for. `provider` NULL: any; `several` then tells whether there was a choice. */
struct query {
	const struct price_book *book;
	const char *tenant, *account;
	int64_t at_us;
	bool several;
};

static const struct price *find_in_scope(
	struct query *query, const char *tenant, const char *account, const char *provider, const char *model)
{
	const struct price_book *book = query->book;
	const struct price *found = NULL;

	for (int i = lower_bound(book, model, tenant, account); i < book->count; i++) {
		const struct price *price = &book->prices[i];

		if (compare_key(price, model, tenant, account) != 0)
			break;
		if (!in_force(price, query->at_us) || (provider && strcmp(price->provider, provider) != 0))
			continue;
		if (found && strcmp(found->provider, price->provider) != 0) {
			query->several = true;
			break;
		}
		if (!found)
			found = price;
	}
	return found;
}

/* The account's own price, else the tenant's, else the general one. */
static const struct price *find_exact(struct query *query, const char *provider, const char *model)
{
	const struct price *found = NULL;

	query->several = false;
	if (*query->account)
		found = find_in_scope(query, query->tenant, query->account, provider, model);
	if (!found && *query->tenant)
		found = find_in_scope(query, query->tenant, "", provider, model);
	if (!found)
		found = find_in_scope(query, "", "", provider, model);
	return found;
}

static const struct price_alias *find_alias(const struct price_book *book, const char *tenant, const char *alias)
{
	int low = 0, high = book->alias_count;

	while (low < high) {
		int middle = low + (high - low) / 2;
		int order = strcmp(book->aliases[middle].alias, alias);

		if (order == 0)
			order = strcmp(book->aliases[middle].tenant, tenant);
		if (order == 0)
			return &book->aliases[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return *tenant ? find_alias(book, "", alias) : NULL;
}

static const struct price *find_by_alias(struct query *query, const char *provider, const char *text)
{
	const struct price_alias *alias = find_alias(query->book, query->tenant, text);

	if (!alias || (provider && strcmp(alias->provider, provider) != 0))
		return NULL;
	return find_exact(query, alias->provider, alias->model);
}

const struct price *price_find(
	const struct price_book *book, const char *tenant, const char *account, const char *model, int64_t at_us)
{
	struct query query = {
		.book = book, .tenant = tenant ? tenant : "", .account = account ? account : "", .at_us = at_us};
	const char *slash = strchr(model, '/');
	char provider[ID_MAX + 1] = "";
	const struct price *found = NULL, *other;

	if (slash && slash > model && (size_t)(slash - model) < sizeof(provider)) {
		memcpy(provider, model, (size_t)(slash - model));
		found = find_exact(&query, provider, slash + 1);
	}
	if (found)
		return found;
	found = find_exact(&query, NULL, model);
	if (found && !query.several)
		return found;
	other = find_by_alias(&query, NULL, model);
	if (!other && !found && *provider)
		other = find_by_alias(&query, provider, slash + 1);
	return other ? other : found;
}

bool price_has_providers(const struct price_book *book, const char *tenant, const char *model, int64_t at_us)
{
	const char *const scopes[] = {tenant, ""};
	const char *provider = NULL;

	for (int scope = 0; scope < 2; scope++)
		for (int i = lower_bound(book, model, scopes[scope], ""); i < book->count; i++) {
			const struct price *price = &book->prices[i];

			if (compare_key(price, model, scopes[scope], "") != 0)
				break;
			if (!in_force(price, at_us))
				continue;
			if (provider && strcmp(provider, price->provider) != 0)
				return true;
			provider = price->provider;
		}
	return false;
}

int64_t price_last_turn(const struct price_book *book, int64_t after_us, int64_t until_us)
{
	int64_t last = after_us;

	for (int i = 0; i < book->count; i++) {
		const int64_t turns[] = {book->prices[i].from_us, book->prices[i].to_us};

		for (int k = 0; k < 2; k++)
			if (turns[k] > last && turns[k] <= until_us)
				last = turns[k];
	}
	return last;
}
