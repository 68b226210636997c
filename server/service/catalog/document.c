/* Compares the entries of documents, packed as bytes (document_pack.h). */
#include "service/catalog/document.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto/hash.h"
#include "domain/alert/change.h"
#include "service/catalog/document_pack.h"

bool document_account_empty(const struct account_row *account)
{
	const struct account_profile *profile = &account->profile;

	return !profile->tier[0] && !profile->org[0] && !profile->zone.name[0] && profile->override_count == 0;
}

/* The state of a comparison, with the two sides of the current entry. */
struct comparison {
	struct document_apply *op;
	const struct document *now, *wanted;
	struct buf before, after, all;
};

/* Adds the change unless both sides are equal. */
static void add(struct comparison *c, struct document_change change, bool removed)
{
	buf_reset(&c->before);
	buf_reset(&c->after);
	document_side_pack(&c->before, &change, false);
	document_side_pack(&c->after, &change, true);
	if (c->before.len == c->after.len && memcmp(buf_str(&c->before), buf_str(&c->after), c->before.len) == 0)
		return;
	change.kind = removed ? CHANGE_REMOVED : c->before.len ? CHANGE_CHANGED : CHANGE_ADDED;
	buf_putf(&c->all, "%d %zu %zu ", (int)change.kind, c->before.len, c->after.len);
	buf_put(&c->all, buf_str(&c->before), c->before.len);
	buf_put(&c->all, buf_str(&c->after), c->after.len);
	c->op->change[c->op->changes++] = change;
}

static const struct tier *tier_of(const struct document *document, const char *name)
{
	for (int i = 0; i < document->tiers; i++)
		if (strcmp(document->tier[i].name, name) == 0)
			return &document->tier[i];
	return NULL;
}

static const struct pool_settings *pool_of(const struct document *document, const char *name)
{
	for (int i = 0; i < document->pools; i++)
		if (strcmp(document->pool[i].name, name) == 0)
			return &document->pool[i];
	return NULL;
}

static int compare_keys(const struct account_key *a, const struct account_key *b)
{
	return a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind) : strcmp(a->id, b->id);
}

/* Binary search: the store reads accounts in the order of kind and id. */
static const struct account_row *account_find(const struct document *now, const struct account_key *key)
{
	int low = 0, high = now->accounts;

	while (low < high) {
		int middle = low + (high - low) / 2, order = compare_keys(key, &now->account[middle].key);

		if (order == 0)
			return &now->account[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool is_wanted(const struct document *wanted, const struct account_key *key)
{
	for (int i = 0; i < wanted->accounts; i++)
		if (compare_keys(&wanted->account[i].key, key) == 0)
			return true;
	return false;
}

static void compare_accounts(struct comparison *c)
{
	for (int i = 0; i < c->wanted->accounts; i++) {
		const struct account_row *wanted = &c->wanted->account[i], *now = account_find(c->now, &wanted->key);

		if (now || !document_account_empty(wanted))
			add(c, (struct document_change){.account_before = now, .account_after = wanted}, false);
	}
	for (int i = 0; c->op->prune && i < c->now->accounts; i++) {
		const struct account_row *now = &c->now->account[i];
		struct account_row *empty;

		if (is_wanted(c->wanted, &now->key))
			continue;
		empty = arena_zalloc(c->op->job.arena, 1, sizeof(*empty));
		empty->key = now->key;
		add(c, (struct document_change){.account_before = now, .account_after = empty}, true);
	}
}

static const struct text_template *text_of(const struct document *document, const struct text_template *text)
{
	for (int i = 0; i < document->texts; i++)
		if (strcmp(document->text[i].code, text->code) == 0 &&
			strcmp(document->text[i].language, text->language) == 0)
			return &document->text[i];
	return NULL;
}

/* Those that go come first: the others may need their room. */
static void compare_texts(struct comparison *c)
{
	for (int i = 0; c->op->prune && i < c->now->texts; i++)
		if (!text_of(c->wanted, &c->now->text[i]))
			add(c, (struct document_change){.text_before = &c->now->text[i]}, true);
	for (int i = 0; i < c->wanted->texts; i++) {
		const struct text_template *wanted = &c->wanted->text[i];

		add(c, (struct document_change){.text_before = text_of(c->now, wanted), .text_after = wanted}, false);
	}
}

/* Binary search: the store reads aliases by name. */
static const struct price_alias *alias_find(const struct document *now, const char *name)
{
	int low = 0, high = now->aliases;

	while (low < high) {
		int middle = low + (high - low) / 2, order = strcmp(name, now->alias[middle].alias);

		if (order == 0)
			return &now->alias[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool alias_is_wanted(const struct document *wanted, const char *name)
{
	for (int i = 0; i < wanted->aliases; i++)
		if (strcmp(wanted->alias[i].alias, name) == 0)
			return true;
	return false;
}

/* Those that go come first, like texts. */
static void compare_aliases(struct comparison *c)
{
	for (int i = 0; c->op->prune && i < c->now->aliases; i++)
		if (!alias_is_wanted(c->wanted, c->now->alias[i].alias))
			add(c, (struct document_change){.alias_before = &c->now->alias[i]}, true);
	for (int i = 0; i < c->wanted->aliases; i++) {
		const struct price_alias *wanted = &c->wanted->alias[i];

		add(c,
			(struct document_change){
				.alias_before = alias_find(c->now, wanted->alias), .alias_after = wanted},
			false);
	}
}

static const struct price_family *family_of(const struct document *document, const struct price_family *like)
{
	for (int i = 0; i < document->families; i++)
		if (document->family[i].from_us == like->from_us &&
			strcmp(document->family[i].prefix, like->prefix) == 0)
			return &document->family[i];
	return NULL;
}

static void compare_families(struct comparison *c)
{
	const struct document *now = c->now, *wanted = c->wanted;

	for (int i = 0; c->op->prune && i < now->families; i++)
		if (!family_of(wanted, &now->family[i]))
			add(c, (struct document_change){.family_before = &now->family[i]}, true);
	for (int i = 0; i < wanted->families; i++) {
		const struct price_family *family = &wanted->family[i];

		add(c, (struct document_change){.family_before = family_of(now, family), .family_after = family},
			false);
	}
}

static struct alert_channel *channel_of(const struct document *document, const char *name)
{
	for (int i = 0; i < document->channels; i++)
		if (strcmp(document->channel[i].name, name) == 0)
			return &document->channel[i];
	return NULL;
}

static const struct alert_rule *rule_of(const struct document *document, const char *name)
{
	for (int i = 0; i < document->rules; i++)
		if (strcmp(document->rule[i].name, name) == 0)
			return &document->rule[i];
	return NULL;
}

/* Those that go come first, rules before the channels that they name. */
static void compare_alerts(struct comparison *c)
{
	const struct document *now = c->now, *wanted = c->wanted;
	bool prune = c->op->prune && wanted->alerts;

	for (int i = 0; prune && i < now->rules; i++)
		if (!rule_of(wanted, now->rule[i].name))
			add(c, (struct document_change){.rule_before = &now->rule[i]}, true);
	for (int i = 0; prune && i < now->channels; i++)
		if (!channel_of(wanted, now->channel[i].name))
			add(c, (struct document_change){.channel_before = &now->channel[i]}, true);
	for (int i = 0; i < wanted->channels; i++) {
		const struct alert_channel *channel = &wanted->channel[i];

		add(c,
			(struct document_change){
				.channel_before = channel_of(now, channel->name), .channel_after = channel},
			false);
	}
	for (int i = 0; i < wanted->rules; i++) {
		const struct alert_rule *rule = &wanted->rule[i];

		add(c, (struct document_change){.rule_before = rule_of(now, rule->name), .rule_after = rule}, false);
	}
}

static void compare_parts(struct comparison *c)
{
	const struct document *now = c->now, *wanted = c->wanted;

	for (int i = 0; i < wanted->tiers; i++)
		add(c,
			(struct document_change){
				.tier_before = tier_of(now, wanted->tier[i].name), .tier_after = &wanted->tier[i]},
			false);
	if (wanted->settings)
		add(c, (struct document_change){.settings_before = now->settings, .settings_after = wanted->settings},
			false);
	for (int i = 0; i < wanted->pools; i++)
		add(c,
			(struct document_change){
				.pool_before = pool_of(now, wanted->pool[i].name), .pool_after = &wanted->pool[i]},
			false);
	compare_accounts(c);
	compare_texts(c);
	compare_aliases(c);
	compare_families(c);
	compare_alerts(c);
	for (int i = 0; c->op->prune && i < now->tiers; i++)
		if (!now->tier[i].shipped && !tier_of(wanted, now->tier[i].name))
			add(c, (struct document_change){.tier_before = &now->tier[i]}, true);
}

static bool tier_will_be(const struct comparison *c, const char *name)
{
	const struct tier *now = tier_of(c->now, name);

	return tier_of(c->wanted, name) || (now && (now->shipped || !c->op->prune));
}

/* A reference to a tier that is to be removed passes here: only the store knows whether a shipped tier replaces it. */
static bool tier_named_check(const struct comparison *c, const char *name, const char *field, struct err *err)
{
	if (!name[0] || tier_will_be(c, name) || tier_of(c->now, name))
		return true;
	return err_invalid(err, field, "there is no tier %s, neither in the document nor on the server", name);
}

/* Fills in the stored secrets of a channel. */
static bool channel_complete(
	const struct document_apply *op, struct alert_channel *wanted, const struct alert_channel *now, struct err *err)
{
	const char *field;

	if (!op->system_too && (wanted->system || (now && now->system)))
		return err_set(err, ERR_PERMISSION, "system: only operators may change a channel with it");
	if (!alert_channel_complete(wanted, now, false, op->job.arena, err))
		return false;
	if (alert_channel_lacks(wanted, &field))
		return err_invalid(err, field,
			"a new channel of kind %s needs a secret, which documents do not hold: create channel %s once with 'bursar alert "
			"channel put', and it keeps its own",
			alert_channel_kind_name(wanted->kind), wanted->name);
	return alert_channel_check(wanted, err) && alert_channel_may_go(wanted, now, op->alert_allow, err);
}

static bool channels_complete(const struct comparison *c, struct err *err)
{
	const struct document *wanted = c->wanted;

	for (int i = 0; i < wanted->channels; i++)
		if (!channel_complete(c->op, &wanted->channel[i], channel_of(c->now, wanted->channel[i].name), err))
			return err_prefix(err, "document.alerts.channels[%d].", i);
	for (int i = 0; c->op->prune && wanted->alerts && !c->op->system_too && i < c->now->channels; i++)
		if (c->now->channel[i].system && !channel_of(wanted, c->now->channel[i].name))
			return err_set(err, ERR_PERMISSION,
				"document.alerts.channels: only operators may delete channel %s, which has system",
				c->now->channel[i].name);
	return true;
}

static bool rules_check(const struct comparison *c, struct err *err)
{
	const struct document *wanted = c->wanted;
	bool prune = c->op->prune && wanted->alerts;

	for (int i = 0; i < wanted->rules; i++)
		for (int k = 0; k < wanted->rule[i].channels; k++) {
			const char *name = wanted->rule[i].channel[k];

			if (channel_of(wanted, name) || (!prune && channel_of(c->now, name)))
				continue;
			err_invalid(err, "channels",
				"there is no channel %s, neither in the document nor on the server", name);
			return err_prefix(err, "document.alerts.rules[%d].", i);
		}
	return true;
}

static bool names_check(const struct comparison *c, struct err *err)
{
	const struct document *wanted = c->wanted;

	if (wanted->settings &&
		!tier_named_check(c, wanted->settings->default_tier, "document.tenant.default_tier", err))
		return false;
	for (int i = 0; i < wanted->tiers; i++)
		if (!tier_named_check(c, wanted->tier[i].upgrade_to, "upgrade_to", err))
			return err_prefix(err, "document.tiers[%d].", i);
	for (int i = 0; i < wanted->accounts; i++)
		if (!tier_named_check(c, wanted->account[i].profile.tier, "tier", err))
			return err_prefix(err, "document.accounts[%d].", i);
	return rules_check(c, err);
}

static bool expected_check(const struct document_apply *op, struct err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%016" PRIx64, op->fingerprint);
	return !op->expected[0] || strcmp(op->expected, text) == 0 ||
	       err_set(err, ERR_PRECONDITION,
		       "the configuration has changed meanwhile: run apply again to see what it would do now");
}

bool document_compare(struct document_apply *op, const struct document *now, struct err *err)
{
	const struct document *wanted = op->wanted;
	struct comparison c = {.op = op, .now = now, .wanted = wanted};
	int most = 1 + wanted->tiers + wanted->pools + wanted->accounts + wanted->texts + now->tiers + now->accounts +
		   now->texts + wanted->aliases + now->aliases + wanted->families + now->families + wanted->channels +
		   now->channels + wanted->rules + now->rules;
	bool ok;

	op->changes = 0;
	op->change = arena_zalloc(op->job.arena, (size_t)most, sizeof(*op->change));
	if (!channels_complete(&c, err))
		return false;
	compare_parts(&c);
	op->fingerprint = hash64(buf_str(&c.all), c.all.len);
	ok = names_check(&c, err) && expected_check(op, err);
	buf_release(&c.before);
	buf_release(&c.after);
	buf_release(&c.all);
	return ok;
}
