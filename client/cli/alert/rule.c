/* Rules of alerts (alert.h). */
#include "cli/alert/alert.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common/view.h"
#include "cli/text/format.h"
#include "cli/text/limit_spec.h"
#include "cli/text/parse.h"

char **alert_words(struct arena *arena, const char *text, size_t *count)
{
	char **words = arena_zalloc(arena, strlen(text) / 2 + 2, sizeof(*words));

	*count = 0;
	while (*(text += strspn(text, " ,"))) {
		size_t len = strcspn(text, " ,");

		words[(*count)++] = arena_strndup(arena, text, len);
		text += len;
	}
	return words;
}

void alert_put_words(struct buf *out, char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_putf(out, "%s%s", i ? ", " : "", words[i]);
}

static bool read_percents(struct cli *cli, struct arena *arena, Bursar__V1__AlertRule *rule)
{
	size_t count;
	char **words = alert_words(arena, option_text(cli, "percent"), &count);
	int32_t *list = arena_zalloc(arena, count + 1, sizeof(*list));

	for (size_t i = 0; i < count; i++) {
		char *end;
		long percent = strtol(words[i], &end, 10);

		if ((*end && strcmp(end, "%") != 0) || end == words[i] || percent < 1 || percent > 1000000)
			return err_set(&cli->err, ERR_INVALID, "--percent: '%s' must be percentages such as 50,80,100",
				words[i]);
		list[i] = (int32_t)percent;
	}
	if (rule->kind != BURSAR__V1__ALERT_KIND__ALERT_KIND_THRESHOLD) {
		if (count > 1)
			return err_set(&cli->err, ERR_INVALID, "--percent: only rules of kind threshold have several");
		rule->percent = count ? list[0] : 0;
		return true;
	}
	rule->percents = list;
	rule->n_percents = count;
	return true;
}

/* In USD for the cost, else a count. */
static bool read_amount(const Bursar__V1__AlertRule *rule, const char *word, int64_t *out, struct err *err)
{
	if (rule->dimension == BURSAR__V1__DIMENSION__DIMENSION_COST)
		return parse_usd(word, strlen(word), out, err);
	if (word[0] == '$')
		return err_set(err, ERR_INVALID, "'%s' is money: amounts of cost need --dimension cost", word);
	return parse_count(word, strlen(word), out, err);
}

static bool read_amounts(struct cli *cli, struct arena *arena, Bursar__V1__AlertRule *rule)
{
	size_t count;
	char **words = alert_words(arena, option_text(cli, "amount"), &count);

	rule->amounts = arena_zalloc(arena, count + 1, sizeof(*rule->amounts));
	rule->n_amounts = count;
	for (size_t i = 0; i < count; i++)
		if (!read_amount(rule, words[i], &rule->amounts[i], &cli->err))
			return err_prefix(&cli->err, "--amount: ");
	return true;
}

static bool read_account_kinds(struct cli *cli, struct arena *arena, Bursar__V1__AlertRule *rule)
{
	size_t count;
	char **words = alert_words(arena, option_text(cli, "account-kinds"), &count);

	rule->account_kinds = arena_zalloc(arena, count + 1, sizeof(*rule->account_kinds));
	rule->n_account_kinds = 0;
	for (size_t i = 0; i < count && strcmp(words[i], "all") != 0; i++) {
		int kind = cli_enum(&bursar__v1__account_kind__descriptor, "ACCOUNT_KIND_", words[i]);

		if (!kind) {
			cli_none_of(&cli->err, words[i], "user|team|org|model|tenant");
			return err_prefix(&cli->err, "--account-kinds: ");
		}
		rule->account_kinds[rule->n_account_kinds++] = (Bursar__V1__AccountKind)kind;
	}
	return true;
}

static void read_channels(struct cli *cli, struct arena *arena, Bursar__V1__AlertRule *rule)
{
	const char *text = option_text(cli, "channels");

	rule->no_channels = strcmp(text, "none") == 0;
	rule->channels = alert_words(arena, text, &rule->n_channels);
	if (rule->no_channels || strcmp(text, "all") == 0)
		rule->n_channels = 0;
}

static bool read_limits(struct cli *cli, Bursar__V1__AlertRule *rule)
{
	const char *dimension = option_text(cli, "dimension");

	if (option_given(cli, "limit"))
		rule->limit = (char *)option_text(cli, "limit");
	if (option_given(cli, "dimension"))
		rule->dimension = BURSAR__V1__DIMENSION__DIMENSION_UNSPECIFIED;
	if (dimension[0] && !limit_dimension_parse(dimension, strlen(dimension), &rule->dimension, &cli->err))
		return err_prefix(&cli->err, "--dimension: ");
	if (option_given(cli, "window"))
		rule->window = (Bursar__V1__CalendarWindow)cli_enum(
			&bursar__v1__calendar_window__descriptor, "CALENDAR_WINDOW_", option_text(cli, "window"));
	return true;
}

static bool read_when(struct cli *cli, struct arena *arena, Bursar__V1__AlertRule *rule)
{
	const char *minimum = option_text(cli, "minimum");

	if ((option_given(cli, "percent") && !read_percents(cli, arena, rule)) ||
		(option_given(cli, "amount") && !read_amounts(cli, arena, rule)))
		return false;
	if (option_given(cli, "minimum") && !parse_usd(minimum, strlen(minimum), &rule->minimum_nano_usd, &cli->err))
		return err_prefix(&cli->err, "--minimum: ");
	if (option_given(cli, "after"))
		rule->after_s = option_number(cli, "after", 0) / 1000000;
	return true;
}

bool alert_rule_read(struct cli *cli, struct arena *arena, Bursar__V1__AlertRule *rule)
{
	static const struct {
		const char *option;
		size_t at;
	} texts[] = {{"account", offsetof(Bursar__V1__AlertRule, account)},
		{"tier", offsetof(Bursar__V1__AlertRule, tier)}, {"team", offsetof(Bursar__V1__AlertRule, team)}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (option_given(cli, texts[i].option))
			*(char **)(void *)((char *)rule + texts[i].at) = (char *)option_text(cli, texts[i].option);
	if (option_given(cli, "severity"))
		rule->severity = (Bursar__V1__AlertSeverity)cli_enum(
			&bursar__v1__alert_severity__descriptor, "ALERT_SEVERITY_", option_text(cli, "severity"));
	if (option_given(cli, "enabled"))
		rule->disabled = option_text(cli, "enabled")[0] == 'n';
	if (option_given(cli, "channels"))
		read_channels(cli, arena, rule);
	return (!option_given(cli, "account-kinds") || read_account_kinds(cli, arena, rule)) &&
	       read_limits(cli, rule) && read_when(cli, arena, rule);
}

static void put_accounts(struct buf *out, const Bursar__V1__AlertRule *rule)
{
	for (size_t i = 0; i < rule->n_account_kinds; i++)
		buf_putf(out, "%s%s", i ? ", " : "", kind_name(rule->account_kinds[i]));
	if (!rule->n_account_kinds)
		buf_put_str(out, "all");
	if (rule->account[0])
		buf_putf(out, " %s", rule->account);
	if (rule->tier[0])
		buf_putf(out, " on tier %s", rule->tier);
	if (rule->team[0])
		buf_putf(out, " of team %s", rule->team);
}

static bool of_limits(const Bursar__V1__AlertRule *rule)
{
	return rule->kind == BURSAR__V1__ALERT_KIND__ALERT_KIND_THRESHOLD ||
	       rule->kind == BURSAR__V1__ALERT_KIND__ALERT_KIND_PROJECTED;
}

static bool of_accounts(const Bursar__V1__AlertRule *rule)
{
	return of_limits(rule) || (rule->kind >= BURSAR__V1__ALERT_KIND__ALERT_KIND_ANOMALY &&
					  rule->kind <= BURSAR__V1__ALERT_KIND__ALERT_KIND_TIER);
}

static void put_limits(struct buf *out, const Bursar__V1__AlertRule *rule)
{
	if (!rule->limit[0] && !rule->dimension && !rule->window)
		buf_put_str(out, "all");
	if (rule->limit[0])
		buf_put_str(out, rule->limit);
	if (rule->dimension) {
		buf_put_str(out, out->len ? ", " : "");
		put_enum(out, &bursar__v1__dimension__descriptor, (int)rule->dimension, "DIMENSION_");
	}
	if (rule->window) {
		buf_put_str(out, out->len ? " per " : "per ");
		put_enum(out, &bursar__v1__calendar_window__descriptor, (int)rule->window, "CALENDAR_WINDOW_");
	}
}

static void put_when(struct buf *out, const Bursar__V1__AlertRule *rule)
{
	for (size_t i = 0; i < rule->n_percents; i++)
		buf_putf(out, "%s%d%%", out->len ? ", " : "", rule->percents[i]);
	for (size_t i = 0; i < rule->n_amounts; i++) {
		buf_put_str(out, out->len ? ", " : "");
		put_amount(out, rule->dimension, rule->amounts[i]);
	}
	if (rule->percent)
		buf_putf(out, "%s%d%%", out->len ? ", " : "", rule->percent);
	if (rule->minimum_nano_usd) {
		buf_put_str(out, out->len ? ", from " : "from ");
		put_money(out, rule->minimum_nano_usd);
	}
	if (rule->after_s) {
		buf_put_str(out, out->len ? ", " : "");
		put_duration(out, rule->after_s * 1000000);
	}
}

static void put_channels(struct buf *out, const Bursar__V1__AlertRule *rule)
{
	alert_put_words(out, rule->channels, rule->n_channels);
	if (!rule->n_channels)
		buf_put_str(out, rule->no_channels ? "none" : "all");
}

static void put_rule_kind(struct buf *out, const Bursar__V1__AlertRule *rule)
{
	put_enum(out, &bursar__v1__alert_kind__descriptor, (int)rule->kind, "ALERT_KIND_");
}

static void put_severity(struct buf *out, const Bursar__V1__AlertRule *rule)
{
	put_enum(out, &bursar__v1__alert_severity__descriptor, (int)rule->severity, "ALERT_SEVERITY_");
}

static void view_part(struct cli *cli, const char *label, const Bursar__V1__AlertRule *rule, bool wanted,
	void (*put)(struct buf *out, const Bursar__V1__AlertRule *rule))
{
	struct buf text = {0};

	if (wanted)
		put(&text, rule);
	if (text.len)
		view_field_buf(cli, label, &text);
	buf_release(&text);
}

void alert_show_rule(struct cli *cli, const Bursar__V1__AlertRule *rule)
{
	buf_putf(&cli->out, "rule %s%s%s\n", rule->name, rule->shipped ? "  (shipped)" : "",
		rule->disabled ? "  (disabled)" : "");
	view_part(cli, "kind", rule, true, put_rule_kind);
	view_part(cli, "severity", rule, true, put_severity);
	view_part(cli, "accounts", rule, of_accounts(rule), put_accounts);
	view_part(cli, "limits", rule, of_limits(rule), put_limits);
	view_part(cli, "at", rule, true, put_when);
	view_part(cli, "channels", rule, true, put_channels);
}

static void cell(struct table *table, const Bursar__V1__AlertRule *rule, bool wanted,
	void (*put)(struct buf *out, const Bursar__V1__AlertRule *rule))
{
	struct buf text = {0};

	if (wanted)
		put(&text, rule);
	table_cell_buf(table, &text);
	buf_release(&text);
}

static void rule_cells(struct table *table, const void *message)
{
	const Bursar__V1__AlertRule *rule = message;

	table_cell(table, "%s", rule->name);
	cell(table, rule, true, put_rule_kind);
	cell(table, rule, true, put_severity);
	cell(table, rule, of_accounts(rule), put_accounts);
	cell(table, rule, of_limits(rule), put_limits);
	cell(table, rule, true, put_when);
	cell(table, rule, true, put_channels);
	table_cell(table, "%s", rule->disabled ? "disabled" : rule->shipped ? "shipped" : "tenant's");
}

void alert_show_rules(struct cli *cli, const Bursar__V1__ListAlertRulesResponse *answer)
{
	static const char *const columns[] = {
		"~RULE", "KIND", "SEVERITY", "~ACCOUNTS", "~LIMITS", "~AT", "~CHANNELS", "STATE", NULL};

	view_rows(cli, columns, answer->rules, answer->n_rules, rule_cells, "no rules");
}
