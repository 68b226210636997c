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
	free(book->families);
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

/*
 * The row of one tenant and account with that model, of which none is before `at`; of several providers the preferred one, which
 * `several` tells.
 */
static const struct price *find_in_scope(struct price_query *query, int at, const char *tenant, const char *account,
	const char *provider, const char *model)
{
	const struct price_book *book = query->book;
	const struct price *found = NULL;

	for (int i = at; i < book->count; i++) {
		const struct price *price = &book->prices[i];

		if (compare_key(price, model, tenant, account) != 0)
			break;
		if (!in_force(price, query->at_us) || (provider && strcmp(price->provider, provider) != 0) ||
			(query->vendors_only && !price_is_vendor(price->provider)))
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

/* Has any tenant a price of the model? They come behind the general ones, of which `at` is the first. */
static bool any_own(const struct price_book *book, int at, const char *model)
{
	for (; at < book->count && strcmp(book->prices[at].model, model) == 0; at++)
		if (*book->prices[at].tenant)
			return true;
	return false;
}

static const struct price *find_own(
	struct price_query *query, const char *account, const char *provider, const char *model)
{
	int at = lower_bound(query->book, model, query->tenant, account);

	return find_in_scope(query, at, query->tenant, account, provider, model);
}

/* Most models have general prices only: one search then, instead of three. */
const struct price *price_find_exact(struct price_query *query, const char *provider, const char *model)
{
	const struct price *found = NULL;
	int at = lower_bound(query->book, model, "", "");
	bool own = *query->tenant && any_own(query->book, at, model);

	query->several = false;
	if (own && *query->account)
		found = find_own(query, query->account, provider, model);
	if (!found && own)
		found = find_own(query, "", provider, model);
	if (!found)
		found = find_in_scope(query, at, "", "", provider, model);
	return found;
}

const struct price_alias *price_alias_of(const struct price_book *book, const char *tenant, const char *alias)
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
	return NULL;
}

/* The tenant's own, else the general one. */
static const struct price_alias *find_alias(const struct price_book *book, const char *tenant, const char *alias)
{
	const struct price_alias *found = price_alias_of(book, tenant, alias);

	return found || !*tenant ? found : price_alias_of(book, "", alias);
}

static const struct price *find_by_alias(struct price_query *query, const char *provider, const char *text)
{
	const struct price_alias *alias = find_alias(query->book, query->tenant, text);

	if (!alias || (provider && strcmp(alias->provider, provider) != 0))
		return NULL;
	return price_find_exact(query, alias->provider, alias->model);
}

/* What stands before the first slash; NULL when nothing does. */
static const char *provider_in(const char *text, char provider[ID_MAX + 1])
{
	const char *slash = strchr(text, '/');

	if (!slash || slash == text || slash - text > ID_MAX)
		return NULL;
	memcpy(provider, text, (size_t)(slash - text));
	provider[slash - text] = '\0';
	return provider;
}

/* The text as it stands, as provider and id or as an id. */
static const struct price *find_id(struct price_query *query, const char *text)
{
	char room[ID_MAX + 1];
	const char *provider = provider_in(text, room);
	const struct price *found = NULL;

	if (provider)
		found = price_find_exact(query, provider, text + strlen(provider) + 1);
	if (found)
		query->several = false;
	return found ? found : price_find_exact(query, NULL, text);
}

/* The text as it stands: as provider and id, as an id, as an alias. */
static const struct price *find_text(struct price_query *query, const char *text)
{
	const struct price *found = find_id(query, text), *other;
	char room[ID_MAX + 1];
	const char *provider;

	if (found && !query->several)
		return found;
	other = find_by_alias(query, NULL, text);
	provider = provider_in(text, room);
	if (!other && !found && provider)
		other = find_by_alias(query, provider, text + strlen(provider) + 1);
	return other ? other : found;
}

/* What a reseller serves costs its own price if it has one, else the vendor's; never what another host charges. */
const struct price *price_find_spelled(struct price_query *query, const struct price_name *name)
{
	const struct price *found = NULL;

	query->vendors_only = false;
	if (name->reseller)
		found = price_find_exact(query, name->reseller, name->text);
	query->vendors_only = name->reseller != NULL;
	if (!found && name->vendor)
		found = price_find_exact(query, name->vendor, name->text);
	if (!found && name->vendor)
		found = find_by_alias(query, name->vendor, name->text);
	if (!found && !name->vendor)
		found = find_text(query, name->text);
	query->vendors_only = false;
	return found;
}

struct price_query price_query_of(const struct price_book *book, const char *tenant, const char *account, int64_t at_us)
{
	return (struct price_query){
		.book = book, .tenant = tenant ? tenant : "", .account = account ? account : "", .at_us = at_us};
}

const struct price *price_find(
	const struct price_book *book, const char *tenant, const char *account, const char *model, int64_t at_us)
{
	struct price_query query = price_query_of(book, tenant, account, at_us);
	const struct price *found = find_text(&query, model);
	struct price_name name;

	if (found)
		return found;
	price_name_init(&name, model);
	while (!found && price_name_next(&name))
		found = price_find_spelled(&query, &name);
	return found;
}

const struct price *price_find_id(
	const struct price_book *book, const char *tenant, const char *model, int64_t at_us, bool *several)
{
	struct price_query query = price_query_of(book, tenant, "", at_us);
	const struct price *found = find_id(&query, model);

	*several = query.several;
	return found;
}

const struct price_alias *price_aliases(const struct price_book *book, int *count)
{
	*count = book->alias_count;
	return book->aliases;
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
	for (int i = 0; i < book->family_count; i++)
		if (book->families[i].from_us > last && book->families[i].from_us <= until_us)
			last = book->families[i].from_us;
	return last;
}
