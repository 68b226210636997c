/*
 * A command is one row of a table: its name, arguments, options, texts and function. Parsing, --help, docs/cli.md,
 * the man page and the shells' completion are all made from the rows.
 */
#ifndef BURSAR_CLI_COMMAND_H
#define BURSAR_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text/distance.h"
#include "c/bursar.h"
#include "cli/core/profile.h"

enum exit_code { EXIT_DONE = 0, EXIT_DENIED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3, EXIT_REFUSED = 4 };

enum option_type {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_FLEET, /* a tenant's id, which is the profile's when it is not given */
	OPTION_PROFILE, /* the name of a profile */
	OPTION_FILE, /* a text that shells complete to a file's name; "-" is standard input */
	OPTION_LIST, /* a text that may be given several times */
	OPTION_CHOICE, /* one of `choices` */
	OPTION_COUNT, /* parse_count */
	OPTION_SOME, /* the same, at least 1 */
	OPTION_CHANGE, /* parse_change: a count with a sign */
	OPTION_USD_CHANGE, /* parse_usd_change */
	OPTION_DURATION, /* parse_duration */
	OPTION_PATIENCE, /* parse_patience */
	OPTION_TIME, /* parse_time */
	OPTION_DAY, /* parse_day: the first microsecond of a day of UTC */
};

struct option {
	char letter; /* '\0' = no short form */
	const char *name;
	enum option_type type;
	const char *value; /* what stands for the value in help: "N", "USER"; NULL for flags */
	const char *help; /* one line, no full stop */
	const char *choices; /* "user|team|org" */
};

enum { OPTIONS_MAX = 32 };

struct cli;

struct command {
	const char *name; /* "check", "account get" */
	const char *args; /* "USER", "NAME [LIMIT...]", "" */
	const char *summary; /* one line, no full stop */
	const char *about; /* paragraphs below it; "" for none */
	struct option options[OPTIONS_MAX]; /* ends with a name of NULL */
	const char *examples[6]; /* as typed behind "bursar ", perhaps with "  # why"; ends with NULL */
	int (*run)(struct cli *cli);
	bool hidden; /* not in help and docs */
	bool alone; /* it needs no server and no profile */
};

/* Each file of commands has its rows; an array of such groups that ends with NULL has them all. */
struct command_group {
	const char *title;
	const struct command *commands;
	size_t count;
};

extern const struct option global_options[]; /* ends with a name of NULL */

/* One call of the program: what was typed, the connection, and the text on its way to standard output. */
struct cli {
	const struct command_group *const *groups; /* every command there is */
	const struct command *command;
	struct option_values *values;
	char **args;
	int args_count;
	bool json, colour;
	struct settings *settings; /* of the profile that is used; NULL: none */
	const char *profile_tenant; /* NULL: the profile names none */
	const char *address;
	struct buf whole_address; /* of one that was given without its port */
	struct buf key; /* the API key; empty: none */
	struct bursar *bursar;
	struct buf out;
	struct err err; /* what the message of EXIT_USAGE says */
};

/*
 * Parses what follows the command's name on the command line into `cli`. False with cli->err. Options that were not
 * given have their defaults; release with options_release.
 */
bool options_parse(struct cli *cli, int argc, const char **argv);
void options_release(struct cli *cli);

/* Values by the option's long name, which must be of the command or global (asserted). */
bool option_given(const struct cli *cli, const char *name);
const char *option_text(
	const struct cli *cli, const char *name); /* "" when not given; a fleet's may be the profile's */
int64_t option_number(const struct cli *cli, const char *name, int64_t otherwise); /* counts, durations, times */
const char *const *option_list(const struct cli *cli, const char *name, size_t *count);

/* False with "'usr' is none of user, team, org; did you mean 'user'?" for choices such as "user|team|org". */
bool cli_none_of(struct err *err, const char *text, const char *choices);

/* How many arguments `args` of a command asks for at least and at most (INT_MAX for "..."). */
void args_bounds(const char *args, int *min, int *max);

/* The command whose name the words begin with; `used` is how many words it has. NULL when there is none. */
const struct command *command_find(
	const struct command_group *const *groups, int words_count, const char *const *words, int *used);

/* Tries the commands' first words, or the words behind `first` ("account"; "" for the first ones). */
void command_nearest(const struct command_group *const *groups, const char *first, struct meant *meant);

/* The nth argument; "" when it was not given. */
const char *cli_arg(const struct cli *cli, int n);

/* Reads the profile that --profile, BURSAR_PROFILE or the profiles' file names. False with cli->err. Release in any case. */
bool cli_settings_load(struct cli *cli);
void cli_settings_release(struct cli *cli);

/* What is set: by the option, else the variable, else the profile; NULL when by none. File names of profiles are complete. */
const char *cli_setting(const struct cli *cli, enum profile_setting setting);
/* What the profile says alone, and its name ("" = none is used). */
const char *cli_profile_setting(const struct cli *cli, enum profile_setting setting);
const char *cli_profile_name(const struct cli *cli);

/* How long to wait for the server. */
int64_t cli_timeout_us(const struct cli *cli);

/* The connection, made at the first call; ends the program with EXIT_USAGE when the address is none. */
struct bursar *cli_bursar(struct cli *cli);
/* The same with another patience; address, key and TLS are as typed. */
struct bursar *cli_open(struct cli *cli, struct bursar_options options);

/* Says on standard error why the call failed and what to do next; answers the exit code. */
int cli_failed(struct cli *cli, const struct bursar_error *error);

/* Says on standard error what is wrong with what was typed (cli->err); answers EXIT_USAGE. */
int cli_usage(struct cli *cli);

/*
 * Calls and waits. NULL after saying why on standard error, with the exit code in `code`; else free with bursar_free.
 */
void *cli_call(struct cli *cli, enum bursar_method method, const void *request, int *code);

/*
 * The same for a List call: asks page after page until there are no more, or `limit` rows have come. `request` is
 * changed. All rows are in the one answer, whose next_page_token is empty at the end.
 */
void *cli_call_pages(struct cli *cli, enum bursar_method method, void *request, int64_t limit, int *code);

/* With --json appends the answer as JSON and says true. */
bool cli_json(struct cli *cli, const void *answer);

/* Writes out what was gathered so far. */
void cli_flush(struct cli *cli);

/* A coloured word when colours are on: "1;32" is bold green. */
void cli_put_coloured(struct cli *cli, const char *sgr, const char *text);

/* The enum value that `prefix` and the upper-cased text make; 0 for "". The text is one of an option's choices. */
int cli_enum(const ProtobufCEnumDescriptor *descriptor, const char *prefix, const char *text);

/* What options have in common. */
#define OPTION_TENANT \
	{ \
		't', "tenant", OPTION_FLEET, "TENANT", "the bot fleet (default: the profile's, else default)", NULL \
	}
#define OPTION_REASON \
	{ \
		'r', "reason", OPTION_TEXT, "TEXT", "why, for the record of changes", NULL \
	}
#define OPTION_KIND \
	{ \
		'k', "kind", OPTION_CHOICE, "KIND", "what the id names (default: user)", "user|team|org|model|tenant" \
	}

#endif
