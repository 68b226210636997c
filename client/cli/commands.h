/* What the files of commands share. */
#ifndef BURSAR_CLI_COMMANDS_H
#define BURSAR_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command_group check_commands;
extern const struct command_group status_commands;
extern const struct command_group account_commands;
extern const struct command_group bulk_commands;
extern const struct command_group tenant_commands;
extern const struct command_group tier_commands;
extern const struct command_group document_commands;
extern const struct command_group price_commands;
extern const struct command_group price_list_commands;
extern const struct command_group reservation_commands;
extern const struct command_group ledger_commands;
extern const struct command_group report_commands;
extern const struct command_group stats_commands;
extern const struct command_group key_commands;
extern const struct command_group audit_commands;
extern const struct command_group watch_commands;
extern const struct command_group doctor_commands;
extern const struct command_group text_commands;
extern const struct command_group pool_commands;
extern const struct command_group run_commands;
extern const struct command_group replay_commands;
extern const struct command_group profile_commands;
extern const struct command_group meta_commands;

/* Reads USER and the options that check and explain have in common. The strings are borrowed from the command line. */
void read_check(struct cli *cli, Bursar__V1__CheckRequest *request);

/* Reads HANDLE, or the options that stand for it; false with cli->err. */
bool read_reservation(struct cli *cli, Bursar__V1__ReservationRef *ref);

/* record (record.c). */
int record_run(struct cli *cli);

/* Was any of the options of OPTIONS_USAGE given that say how many tokens? */
bool usage_given(const struct cli *cli);
/* Reads the options of OPTIONS_USAGE; false with cli->err. */
bool read_usage(struct cli *cli, Bursar__V1__TokenUsage *usage);

/* Shows a check's answer; EXIT_DONE or EXIT_DENIED. */
int show_decision(struct cli *cli, const Bursar__V1__CheckResponse *answer);

/* Reads the first argument, --tenant and --kind. */
void read_account_ref(struct cli *cli, Bursar__V1__AccountRef *ref);

/* Calls, shows the account that comes back. */
int account_call(struct cli *cli, enum bursar_method method, const void *request);

/* account override (account_override.c). */
int account_override(struct cli *cli);
/* account erase (account_erase.c). */
int account_erase(struct cli *cli);

/*
 * Reads LIMIT arguments from the nth on into a new list of `count` limits; false with cli->err. Free with limits_free,
 * which is right for what an earlier failure left, too.
 */
bool read_limits(struct cli *cli, int n, Bursar__V1__Limit ***limits, size_t *count);
void limits_free(Bursar__V1__Limit **limits, size_t count);
/* Does the new limit take the old one's place? By its name, or, without one, by what it counts and when. */
bool limit_takes_place(const Bursar__V1__Limit *new, const Bursar__V1__Limit *old);
/* The end that --for or --until give to the limits that name none. */
void limits_end(struct cli *cli, Bursar__V1__Limit **limits, size_t count);

/* Reads the JSON file of -f as a message of `descriptor` (bursar_free); NULL with cli->err. */
void *read_json_file(struct cli *cli, const ProtobufCMessageDescriptor *descriptor);

/* "2026-11"? False with cli->err. */
bool month_check(struct cli *cli, const char *text);
#define OPTION_MONTH \
	{ \
		'm', "month", OPTION_TEXT, "YYYY-MM", "which one (default: the running one, UTC)", NULL \
	}

#define OPTIONS_ASK \
	{'i', "interface", OPTION_TEXT, "NAME", "where it comes from: telegram, discord, web, api (default: api)", \
		NULL}, \
		{'m', "model", OPTION_TEXT, "MODEL", "the model to be asked; without it no cost is held", NULL}, \
		{'\0', "mode", OPTION_TEXT, "MODE", \
			"how it is bought: batch, flex, priority or what else the price names (default: standard)", \
			NULL}, \
		{'\0', "input-tokens", OPTION_COUNT, "N", "estimated input, all classes together", NULL}, \
		{'\0', "max-output-tokens", OPTION_COUNT, "N", "the most it may answer (default: the tier's)", NULL}, \
	{ \
		'\0', "language", OPTION_TEXT, "TAG", "of the texts for the user, such as en", NULL \
	}

#define OPTIONS_USAGE \
	{'\0', "input-tokens", OPTION_COUNT, "N", "fresh input", NULL}, \
		{'\0', "output-tokens", OPTION_COUNT, "N", "output without reasoning", NULL}, \
		{'\0', "cached-tokens", OPTION_COUNT, "N", "input read from the provider's cache", NULL}, \
		{'\0', "cache-write-tokens", OPTION_COUNT, "N", "input written to the provider's cache", NULL}, \
		{'\0', "reasoning-tokens", OPTION_COUNT, "N", "output that was thinking", NULL}, \
		{'\0', "audio-input-tokens", OPTION_COUNT, "N", "audio heard", NULL}, \
		{'\0', "audio-output-tokens", OPTION_COUNT, "N", "audio spoken", NULL}, \
		{'\0', "usage", OPTION_FILE, "FILE", "read a provider's usage object (JSON; - is standard input)", \
			NULL}, \
		{'\0', "provider", OPTION_CHOICE, "NAME", "whose usage object it is", "openai|anthropic|google"}, \
	{ \
		'\0', "mode", OPTION_TEXT, "MODE", \
			"how it was bought: batch, flex, priority or what else the price names (default: standard)", \
			NULL \
	}

#endif
