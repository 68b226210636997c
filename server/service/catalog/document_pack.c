/* Packs the entries of documents as bytes (document_pack.h). */
#include "service/catalog/document_pack.h"

#include <string.h>

static void put_text(struct buf *out, const char *text)
{
	buf_put(out, text, strlen(text) + 1);
}

static void put_limit(struct buf *out, const struct limit *limit)
{
	put_text(out, limit->name);
	buf_put_u8(out, (uint8_t)limit->dimension);
	buf_put_u8(out, (uint8_t)limit->kind);
	buf_put_u8(out, (uint8_t)(limit->kind == KIND_CALENDAR ? limit->unit : 0));
	buf_put_i64(out, limit->amount);
	buf_put_i64(out, limit->kind == KIND_BUCKET ? limit->period_us : 0);
	buf_put_i64(out, limit->kind == KIND_BUCKET ? limit->burst : 0);
	put_text(out, limit->interface);
	put_text(out, limit->model);
	buf_put_u8(out, limit->shadow);
	buf_put_u8(out, limit->kind == KIND_CALENDAR && limit->notify);
	buf_put_u8(out, (uint8_t)limit->warn_percent);
	buf_put_i64(out, limit->until_us);
}

static void put_settings(struct buf *out, const struct tenant *settings)
{
	put_text(out, settings->default_tier);
	buf_put_u8(out, (uint8_t)settings->unknown_users);
	buf_put_u8(out, (uint8_t)settings->unknown_model);
	put_text(out, settings->fallback_model);
	put_text(out, settings->language);
	buf_put_u8(out, (uint8_t)settings->cost_source);
}

static void put_tier(struct buf *out, const struct tier *tier)
{
	put_text(out, tier->name);
	buf_put_i64(out, tier->pool_priority);
	buf_put_i64(out, tier->pool_concurrent);
	buf_put_i64(out, tier->default_output_tokens);
	buf_put_u8(out, (uint8_t)tier->fail_policy);
	put_text(out, tier->upgrade_to);
	for (int i = 0; i < tier->policy.count; i++)
		put_limit(out, &tier->policy.limits[i]);
}

/* The settings as packed for Redis, without the generation; and without the slots if they come from the option. */
static void put_pool(struct buf *out, const struct pool_settings *pool)
{
	struct pool_settings settings = *pool;
	const int64_t times[] = {pool->lease_us, pool->age_us, pool->starve_us, pool->predicted_wait_max_us,
		pool->wait_max_us, pool->estimate_us, pool->learn_margin_us, pool->drain_us};

	settings.gen = 0;
	if (settings.slots_from_option)
		settings.slots = 0;
	put_text(out, settings.name);
	buf_put_u8(out, settings.slots_from_option);
	pool_pack(out, &settings);
	/* pool_pack rounds to milliseconds, so the times are added in microseconds. */
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		buf_put_i64(out, times[i]);
}

static void put_account(struct buf *out, const struct account_row *account)
{
	const struct account_profile *profile = &account->profile;

	buf_put_u8(out, (uint8_t)account->key.kind);
	put_text(out, account->key.id);
	put_text(out, profile->tier);
	put_text(out, profile->org);
	put_text(out, profile->zone.name);
	for (int i = 0; i < profile->override_count; i++)
		put_limit(out, &profile->overrides[i]);
}

static void put_template(struct buf *out, const struct text_template *text)
{
	put_text(out, text->code);
	put_text(out, text->language);
	put_text(out, text->text);
}

static void put_alias(struct buf *out, const struct price_alias *alias)
{
	put_text(out, alias->alias);
	put_text(out, alias->provider);
	put_text(out, alias->model);
}

static void put_family(struct buf *out, const struct price_family *family)
{
	put_text(out, family->prefix);
	buf_put_i64(out, family->from_us);
	put_text(out, family->provider);
	put_text(out, family->model);
}

/* Without secrets, which a document does not change, and without what the channel does. */
static void put_channel(struct buf *out, const struct alert_channel *channel)
{
	put_text(out, channel->name);
	buf_put_u8(out, (uint8_t)channel->kind);
	buf_put_u8(out, channel->enabled);
	buf_put_u8(out, channel->system);
	buf_put_u8(out, channel->ordered);
	buf_put_u8(out, (uint8_t)channel->least);
	put_text(out, channel->target);
	put_text(out, channel->language);
	put_text(out, channel->title);
	put_text(out, channel->body);
	buf_put_i64(out, channel->digest_us);
	buf_put_i64(out, channel->quiet_from);
	buf_put_i64(out, channel->quiet_to);
	put_text(out, channel->quiet_zone);
	buf_put_i64(out, channel->rate_per_minute);
}

static void put_rule(struct buf *out, const struct alert_rule *rule)
{
	put_text(out, rule->name);
	buf_put_u8(out, (uint8_t)rule->kind);
	buf_put_u8(out, (uint8_t)rule->severity);
	buf_put_u8(out, rule->enabled);
	buf_put_i64(out, rule->account_kinds);
	put_text(out, rule->account);
	put_text(out, rule->tier);
	put_text(out, rule->team);
	put_text(out, rule->limit_name);
	buf_put_i64(out, rule->dimension);
	buf_put_i64(out, rule->unit);
	buf_put_u8(out, (uint8_t)rule->percents);
	for (int i = 0; i < rule->percents; i++)
		buf_put_i64(out, rule->percent_at[i]);
	buf_put_u8(out, (uint8_t)rule->amounts);
	for (int i = 0; i < rule->amounts; i++)
		buf_put_i64(out, rule->amount_at[i]);
	buf_put_i64(out, rule->percent);
	buf_put_i64(out, rule->minimum_nano);
	buf_put_i64(out, rule->after_us);
	buf_put_u8(out, rule->to_all);
	for (int i = 0; i < rule->channels; i++)
		put_text(out, rule->channel[i]);
}

void document_side_pack(struct buf *out, const struct document_change *change, bool after)
{
	struct document_side side = document_side_of(change, after);

	if (side.settings)
		put_settings(out, side.settings);
	if (side.tier)
		put_tier(out, side.tier);
	if (side.pool)
		put_pool(out, side.pool);
	if (side.account)
		put_account(out, side.account);
	if (side.text)
		put_template(out, side.text);
	if (side.alias)
		put_alias(out, side.alias);
	if (side.family)
		put_family(out, side.family);
	if (side.channel)
		put_channel(out, side.channel);
	if (side.rule)
		put_rule(out, side.rule);
}
