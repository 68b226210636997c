/*
 * Sums up new ledger rows (pg/ledger/ledger.h): roll-ups, the windows and bucket levels that Redis is seeded from, and
 * accounts of users seen for the first time. The sums are sorted, so that each table gets one upsert with rows in the
 * same order in every writer.
 */
#include "pg/ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "pg/ledger/sums.h"

enum { ENTRY_SHARED_MAX = 4 }; /* per entry: its team, its org, its tier and its tenant */

static int compare_use(const struct use_row *a, const struct use_row *b, bool by_day)
{
	int order = strcmp(a->tenant, b->tenant);

	if (order == 0)
		order = (int)a->kind - (int)b->kind;
	if (order == 0)
		order = strcmp(a->id, b->id);
	if (order || !by_day)
		return order ? order : (a->month_us > b->month_us) - (a->month_us < b->month_us);
	if (a->day_us != b->day_us)
		return a->day_us < b->day_us ? -1 : 1;
	order = strcmp(a->interface, b->interface);
	if (order == 0)
		order = strcmp(a->provider, b->provider);
	return order ? order : strcmp(a->model, b->model);
}

static int compare_daily(const void *a, const void *b)
{
	return compare_use(a, b, true);
}

static int compare_monthly(const void *a, const void *b)
{
	return compare_use(a, b, false);
}

static int compare_accounts(const struct level_key *a, const struct level_key *b)
{
	int order = strcmp(a->tenant, b->tenant);

	if (order == 0)
		order = (int)a->kind - (int)b->kind;
	if (order == 0)
		order = strcmp(a->id, b->id);
	return order ? order : (a->limit_id > b->limit_id) - (a->limit_id < b->limit_id);
}

/* Users first: the rows of other accounts, which several writers want, are written last (upsert.c). */
static int compare_users_first(const struct level_key *a, const struct level_key *b)
{
	int order = (int)(a->kind != ACCOUNT_USER) - (int)(b->kind != ACCOUNT_USER);

	return order ? order : compare_accounts(a, b);
}

static int compare_windows(const void *a, const void *b)
{
	const struct window_sum *x = a, *y = b;
	int order = compare_users_first(&x->key, &y->key);

	if (order == 0)
		order = (int)x->unit - (int)y->unit;
	if (order == 0)
		order = (x->starts_at_us > y->starts_at_us) - (x->starts_at_us < y->starts_at_us);
	if (order == 0)
		order = strcmp(x->interface, y->interface);
	if (order == 0)
		order = strcmp(x->model, y->model);
	return order ? order : (int)x->reset - (int)y->reset;
}

/*
 * Sorts the newest level of a bucket last; of two levels at the same moment the emptier one, so that their order does
 * not matter.
 */
static int compare_buckets(const void *a, const void *b)
{
	const struct bucket_sum *x = a, *y = b;
	int order = compare_users_first(&x->key, &y->key);

	if (order == 0)
		order = (x->as_of_us > y->as_of_us) - (x->as_of_us < y->as_of_us);
	if (order == 0)
		order = (x->bucket.full_at_us > y->bucket.full_at_us) - (x->bucket.full_at_us < y->bucket.full_at_us);
	return order ? order : (x->bucket.rem > y->bucket.rem) - (x->bucket.rem < y->bucket.rem);
}

static void use_costs_add(struct use_costs *to, const struct use_costs *from)
{
	to->compared += from->compared;
	to->provider_nano += from->provider_nano;
	to->list_nano += from->list_nano;
	to->corrected += from->corrected;
	to->corrected_nano += from->corrected_nano;
	to->allowed += from->allowed;
	to->allowance_nano += from->allowance_nano;
}

static void use_add(struct use_row *to, const struct use_row *from)
{
	to->rows += from->rows;
	to->unpriced += from->unpriced;
	to->amounts = amounts_plus(&to->amounts, &from->amounts);
	for (int meter = 0; meter < METER_COUNT; meter++)
		to->meters.count[meter] += from->meters.count[meter];
	use_costs_add(&to->costs, &from->costs);
}

/* Sorts rows and merges those with the same key; returns how many are left. */
static int use_merge(struct use_row *rows, int count, int (*compare)(const void *, const void *))
{
	int last = 0;

	if (count == 0)
		return 0;
	qsort(rows, (size_t)count, sizeof(*rows), compare);
	for (int i = 1; i < count; i++) {
		if (compare(&rows[last], &rows[i]) == 0)
			use_add(&rows[last], &rows[i]);
		else
			rows[++last] = rows[i];
	}
	return last + 1;
}

static const char *first_of(const char *a, const char *b)
{
	return *a ? a : b;
}

static void add_shared(struct sums *sums, const struct use_row *row, enum account_kind kind, const char *id)
{
	sums->shared[sums->shareds] = *row;
	sums->shared[sums->shareds].kind = kind;
	sums->shared[sums->shareds++].id = id;
}

/* Uses the groups and the tier that the request counted against, even if its user has moved since. */
static void collect_groups(struct sums *sums, const struct entry *entry, const struct use_row *row)
{
	if (entry->info.tier[0])
		add_shared(sums, row, USE_OF_TIER, entry->info.tier);
	for (int i = 0; i < entry->info.accounts; i++) {
		const struct entry_account *account = &entry->info.account[i];

		if (account->kind == ACCOUNT_TEAM || account->kind == ACCOUNT_ORG)
			add_shared(sums, row, account->kind, account->id);
	}
}

static void name_model(struct use_row *row, const struct entry *entry, struct arena *scratch)
{
	const struct entry_info *info = &entry->info;
	bool other = entry->usage.flags & FLAG_OTHER_MODEL;
	struct bill_key key = {.provider = info->provider, .model = first_of(info->price_model, info->model)};

	if (entry->kind == ENTRY_RECORD || entry->kind == ENTRY_ADJUST)
		key = usage_bill_key(&entry->usage, info->model, other ? arena_alloc(scratch, ID_MAX + 1) : NULL);
	row->provider = key.provider;
	row->model = key.model;
}

static void collect_use(struct sums *sums, const struct entry *entry, struct arena *scratch)
{
	const struct entry_info *info = &entry->info;
	const struct entry_usage *usage = &entry->usage;

	struct use_row *row = &sums->daily[sums->dailies++];
	*row = (struct use_row){
		.kind = ACCOUNT_USER,
		.tenant = info->tenant,
		.id = info->user,
		.interface = info->interface,
		.day_us = floor_day(entry->started_at_us),
		.month_us = floor_month(entry->started_at_us),
		.rows = 1,
		.unpriced = entry->kind == ENTRY_RECORD && (usage->flags & FLAG_UNPRICED) != 0,
		.amounts = entry->amounts,
		.meters = usage->meters,
	};
	if (usage->provider_cost_known && entry->kind == ENTRY_RECORD)
		row->costs = (struct use_costs){
			.compared = 1, .provider_nano = usage->provider_cost_nano, .list_nano = usage->list_cost_nano};
	name_model(row, entry, scratch);
	if (entry->rerate && ledger_rerate_use(entry, row, &sums->daily[sums->dailies]))
		collect_groups(sums, entry, &sums->daily[sums->dailies++]);
	collect_groups(sums, entry, row);
}

/* A tenant's use is the sum over its users. Those rows are merged first, so that there is less to add. */
static void collect_tenants(struct sums *sums)
{
	for (int i = 0; i < sums->dailies; i++)
		add_shared(sums, &sums->daily[i], ACCOUNT_TENANT, sums->daily[i].tenant);
}

/*
 * Most entries of a batch count on the same org, tenant and model as the one before: adding them up here leaves a third
 * of the rows to be sorted.
 */
static void window_plus(struct window_sum *to, const struct window_sum *from, struct arena *scratch)
{
	to->used = amounts_plus(&to->used, &from->used);
	if (from->used.counted)
		to->used.counted = counted_plus(to->used.counted, from->used.counted, scratch);
}

static void add_window(struct sums *sums, const struct window_sum *row)
{
	int *last = &sums->last_window[row->key.kind][row->unit];

	if (*last && compare_windows(&sums->window[*last - 1], row) == 0) {
		window_plus(&sums->window[*last - 1], row, sums->scratch);
		return;
	}
	sums->window[sums->windows++] = *row;
	*last = sums->windows;
}

static void collect_windows(struct sums *sums, const struct entry *entry, const struct level_key *key,
	const int64_t starts_at_us[WINDOW_COUNT])
{
	bool reset = entry->kind == ENTRY_RESET;

	for (int u = 0; u < WINDOW_COUNT; u++) {
		if (starts_at_us[u])
			add_window(sums, &(struct window_sum){.key = *key,
						 .unit = (enum window_unit)u,
						 .starts_at_us = starts_at_us[u],
						 .interface = reset ? "" : entry->info.interface,
						 .model = reset ? "" : entry_counted_model(&entry->info),
						 .reset = reset,
						 .used = entry->amounts});
	}
}

static bool counted_on(const struct entry *entry, enum account_kind kind)
{
	for (int i = 0; i < entry->info.accounts; i++)
		if (entry->info.account[i].kind == kind)
			return true;
	return false;
}

/*
 * Models and tenants have an account only once an admin has created one. Their use is kept from the start all the same,
 * in UTC windows, because new accounts start in UTC.
 */
static void collect_unmade(struct sums *sums, const struct entry *entry)
{
	const struct level_key tenant = {
		.tenant = entry->info.tenant, .kind = ACCOUNT_TENANT, .id = entry->info.tenant};
	const struct level_key model = {
		.tenant = entry->info.tenant, .kind = ACCOUNT_MODEL, .id = entry_counted_model(&entry->info)};
	const int64_t starts_at_us[WINDOW_COUNT] = {[WINDOW_DAY] = floor_day(entry->started_at_us),
		[WINDOW_WEEK] = floor_week(entry->started_at_us),
		[WINDOW_MONTH] = floor_month(entry->started_at_us)};

	if (!counted_on(entry, ACCOUNT_TENANT))
		collect_windows(sums, entry, &tenant, starts_at_us);
	if (model.id[0] && !counted_on(entry, ACCOUNT_MODEL))
		collect_windows(sums, entry, &model, starts_at_us);
}

static void collect_levels(struct sums *sums, const struct entry *entry)
{
	bool counts = entry->kind == ENTRY_RESET || (amounts_any(&entry->amounts) && !entry->ledger_only);

	for (int i = 0; i < entry->info.accounts; i++) {
		const struct entry_part *part = &entry->part[i];
		struct level_key key = {.tenant = entry->info.tenant,
			.kind = entry->info.account[i].kind,
			.id = entry->info.account[i].id};
		if (counts)
			collect_windows(sums, entry, &key, part->window_start);
		for (int k = 0; k < part->buckets; k++) {
			key.limit_id = part->bucket[k].limit_id;
			sums->bucket[sums->buckets++] =
				(struct bucket_sum){.key = key, .as_of_us = part->clock_us, .bucket = part->bucket[k]};
		}
	}
	if (counts && entry->kind != ENTRY_RESET)
		collect_unmade(sums, entry);
}

static void merge_windows(struct sums *sums)
{
	int last = 0;

	if (sums->windows == 0)
		return;
	qsort(sums->window, (size_t)sums->windows, sizeof(*sums->window), compare_windows);
	for (int i = 1; i < sums->windows; i++) {
		if (compare_windows(&sums->window[last], &sums->window[i]) == 0)
			window_plus(&sums->window[last], &sums->window[i], sums->scratch);
		else
			sums->window[++last] = sums->window[i];
	}
	sums->windows = last + 1;
}

static void merge_buckets(struct sums *sums)
{
	int last = 0;

	if (sums->buckets == 0)
		return;
	qsort(sums->bucket, (size_t)sums->buckets, sizeof(*sums->bucket), compare_buckets);
	for (int i = 1; i < sums->buckets; i++) {
		if (compare_accounts(&sums->bucket[last].key, &sums->bucket[i].key) != 0)
			last++;
		sums->bucket[last] = sums->bucket[i];
	}
	sums->buckets = last + 1;
}

/* How many buckets the entries name, to size the array. */
static size_t count_buckets(struct ledger_item **items, int count)
{
	size_t buckets = 0;

	for (int i = 0; i < count; i++)
		for (int k = 0; k < items[i]->entry->info.accounts; k++)
			buckets += (size_t)items[i]->entry->part[k].buckets;
	return buckets;
}

static void collect(struct sums *sums, struct ledger_item **items, int count, struct arena *scratch)
{
	size_t uses = (size_t)count + ledger_rerates(items, count);

	*sums = (struct sums){
		.scratch = scratch,
		.daily = arena_zalloc(scratch, uses + 1, sizeof(*sums->daily)),
		.monthly = arena_zalloc(scratch, uses + 1, sizeof(*sums->monthly)),
		.shared = arena_zalloc(scratch, uses * ENTRY_SHARED_MAX + 1, sizeof(*sums->shared)),
		.window = arena_zalloc(scratch, (size_t)count * ACCOUNTS_MAX * WINDOW_COUNT + 1, sizeof(*sums->window)),
		.bucket = arena_zalloc(scratch, count_buckets(items, count) + 1, sizeof(*sums->bucket)),
		.reset = arena_zalloc(scratch, (size_t)count + 1, sizeof(*sums->reset)),
		.adjustment = arena_zalloc(scratch, (size_t)count + 1, sizeof(*sums->adjustment)),
		.due = arena_zalloc(scratch, (size_t)count + 1, sizeof(*sums->due)),
	};
	for (int i = 0; i < count; i++) {
		if (items[i]->fate != LEDGER_WRITTEN)
			continue;
		/* A reset changes counters, not usage. */
		if (items[i]->entry->kind != ENTRY_RESET)
			collect_use(sums, items[i]->entry, scratch);
		if (items[i]->entry->kind == ENTRY_RESET)
			sums->reset[sums->resets++] = items[i]->entry;
		else if (items[i]->entry->kind == ENTRY_ADJUST && !items[i]->entry->rerate) /* those are audited once */
			sums->adjustment[sums->adjustments++] = items[i]->entry;
		if (ledger_allowance_due(items[i]->entry))
			sums->due[sums->dues++] = items[i]->entry;
		collect_levels(sums, items[i]->entry);
	}
	sums->dailies = use_merge(sums->daily, sums->dailies, compare_daily);
	memcpy(sums->monthly, sums->daily, (size_t)sums->dailies * sizeof(*sums->daily));
	sums->monthlies = use_merge(sums->monthly, sums->dailies, compare_monthly);
	collect_tenants(sums);
	sums->shareds = use_merge(sums->shared, sums->shareds, compare_daily);
	merge_windows(sums);
	merge_buckets(sums);
	while (sums->user_windows < sums->windows && sums->window[sums->user_windows].key.kind == ACCOUNT_USER)
		sums->user_windows++;
	while (sums->user_buckets < sums->buckets && sums->bucket[sums->user_buckets].key.kind == ACCOUNT_USER)
		sums->user_buckets++;
}

bool ledger_sum_and_commit(
	struct pg_link *link, struct ledger_item **items, int count, struct arena *scratch, struct err *err)
{
	struct sums sums;

	collect(&sums, items, count, scratch);
	return ledger_sums_write(link, &sums, err);
}
