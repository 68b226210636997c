/*
 * A command is one row of a table: its name, arguments, options, texts and function. Parsing, --help, docs/cli.md,
 * the man page and the shells' completion are generated from these rows.
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
	OPTION_FLEET, /* a tenant's id (default: the profile's) */
	OPTION_PROFILE, /* the name of a profile */
	OPTION_FILE, /* a path, which shells complete; "-" is standard input */
	OPTION_LIST, /* a text that may be given several times */
	OPTION_CHOICE, /* one of `choices` */
	OPTION_COUNT, /* parse_count */
	OPTION_SOME, /* the same, at least 1 */
	OPTION_CHANGE, /* parse_change: a signed count */
	OPTION_USD_CHANGE, /* parse_usd_change */
	OPTION_DURATION, /* parse_duration */
	OPTION_PATIENCE, /* parse_patience */
	OPTION_TIME, /* parse_time */
	OPTION_DAY, /* parse_day: the first microsecond of a day of UTC */
};

struct option {
	char letter; /* '\0': no short form */
	const char *name;
	enum option_type type;
	const char *value; /* placeholder for the value in help: "N", "USER"; NULL for flags */
	const char *help; /* one line, no full stop */
	const char *choices; /* "user|team|org" */
};

enum { OPTIONS_MAX = 32 };

struct cli;

struct command {
	const char *name; /* "check", "account get" */
	const char *args; /* "USER", "NAME [LIMIT...]", "" */
	const char *summary; /* one line, no full stop */
	const char *about; /* paragraphs below the summary; NULL for none */
	struct option options[OPTIONS_MAX]; /* the last has a NULL name */
	const char *examples[6]; /* as typed after "bursar ", some with "  # why"; ends with NULL */
	int (*run)(struct cli *cli);
	bool hidden; /* not in help and docs */
	bool alone; /* needs neither a server nor a profile */
};

/* What every row begins with. */
#define COMMAND(words, arguments, what, function) .name = words, .args = arguments, .summary = what, .run = function

/* The commands of one file. All groups together are an array that ends with NULL. */
struct command_group {
	const char *title;
	const struct command *commands;
	size_t count;
};

extern const struct option global_options[]; /* the last has a NULL name */

/* One run of the program: the command line, the connection, and text waiting to go to standard output. */
struct cli {
	const struct command_group *const *groups; /* all commands */
	const struct command *command;
	struct option_values *values;
	char **args;
	int args_count;
	bool json, colour;
	struct settings *settings; /* of the profile in use; NULL: none */
	const char *profile_tenant; /* NULL: the profile does not set one */
	const char *address;
	char *whole_address; /* what `address` points to, if it was given */
	struct buf key; /* the API key; empty: none */
	struct bursar *bursar;
	struct buf out;
	struct err err; /* the message for EXIT_USAGE */
};

/*
 * Parses the command line after the command's name into `cli`. False with cli->err. Options that were not given have
 * their defaults. Release with options_release.
 */
bool options_parse(struct cli *cli, int argc, const char **argv);
void options_release(struct cli *cli);

/* Values by long name. The option must belong to the command or be global (asserted). */
bool option_given(const struct cli *cli, const char *name);
const char *option_text(
	const struct cli *cli, const char *name); /* "" when not given; a tenant may come from the profile */
int64_t option_number(const struct cli *cli, const char *name, int64_t otherwise); /* counts, durations, times */
const char *const *option_list(const struct cli *cli, const char *name, size_t *count);

/* False with "'usr' is not one of user, team, org; did you mean 'user'?" for choices such as "user|team|org". */
bool cli_none_of(struct err *err, const char *text, const char *choices);

/* The minimum and maximum number of arguments that a command's `args` allows (INT_MAX for "..."). */
void args_bounds(const char *args, int *min, int *max);

/* The command whose name the words begin with; `used` is the number of words in it. NULL when no command matches. */
const struct command *command_find(
	const struct command_group *const *groups, int words_count, const char *const *words, int *used);

/* Tries the commands' first words, or the words that follow `first` ("account"; "" tries the first words). */
void command_nearest(const struct command_group *const *groups, const char *first, struct meant *meant);

/* The nth argument; "" when not given. */
const char *cli_arg(const struct cli *cli, int n);

/*
 * Reads the profile named by --profile, BURSAR_PROFILE or the profiles file. False with cli->err. Release either way.
 */
bool cli_settings_load(struct cli *cli);
void cli_settings_release(struct cli *cli);

/*
 * The value from the option, else the variable, else the profile; NULL when none sets it. Paths from profiles are
 * complete.
 */
const char *cli_setting(const struct cli *cli, enum profile_setting setting);
/* The value from the profile alone, and the profile's name ("": no profile is used). */
const char *cli_profile_setting(const struct cli *cli, enum profile_setting setting);
const char *cli_profile_name(const struct cli *cli);

/* How long to wait for the server. */
int64_t cli_timeout_us(const struct cli *cli);

/* The connection, opened on first use; ends the program with EXIT_USAGE when the address is not valid. */
struct bursar *cli_bursar(struct cli *cli);
/* The same with other timeouts; address, key and TLS come from the settings. */
struct bursar *cli_open(struct cli *cli, struct bursar_options options);

/* Says on standard error why the call failed and what to do next; returns the exit code. */
int cli_failed(struct cli *cli, const struct bursar_error *error);

/* Says on standard error what is wrong with the command line (cli->err); returns EXIT_USAGE. */
int cli_usage(struct cli *cli);

/*
 * Makes a call and waits. Free the answer with bursar_free. On failure says why on standard error and returns NULL,
 * with the exit code in `code`.
 */
void *cli_call(struct cli *cli, enum bursar_method method, const void *request, int *code);

/*
 * The same for a List call: fetches pages until the last one, or until it has `limit` rows. Changes `request`. One
 * answer holds all rows; its next_page_token is empty if these are all there are.
 */
void *cli_call_pages(struct cli *cli, enum bursar_method method, void *request, int64_t limit, int *code);

/* With --json, appends the answer as JSON and returns true. */
bool cli_json(struct cli *cli, const void *answer);
/*
 * The end of a command whose answer may be NULL, `code` saying why: shows it by show(cli, answer), or as JSON, and frees it. The exit
 * code.
 */
#define cli_end(cli, answer, code, show) \
	(!(answer) ? (code) \
		   : (cli_json(cli, answer) ? (void)0 : show(cli, answer), bursar_free(answer), (int)EXIT_DONE))

/*
 * Makes a call and shows its answer by show(cli, answer), or as JSON. The exit code.
 */
#define cli_show(cli, method, request, show) \
	({ \
		int cli_show_code; \
		void *cli_show_answer = cli_call(cli, method, request, &cli_show_code); \
\
		cli_end(cli, cli_show_answer, cli_show_code, show); \
	})
/* The same for all pages of a List call, up to --limit rows (default: `most`). */
#define cli_show_pages(cli, method, request, most, show) \
	({ \
		int cli_show_code; \
		void *cli_show_answer = \
			cli_call_pages(cli, method, request, option_number(cli, "limit", most), &cli_show_code); \
\
		cli_end(cli, cli_show_answer, cli_show_code, show); \
	})

/* Writes the output collected so far. */
void cli_flush(struct cli *cli);

/* Appends the text, coloured when colours are on: "1;32" is bold green. */
void cli_put_coloured(struct cli *cli, const char *sgr, const char *text);

/* The enum value named `prefix` plus the text in upper case; 0 for "". The text is one of an option's choices. */
int cli_enum(const ProtobufCEnumDescriptor *descriptor, const char *prefix, const char *text);

/* Options that many commands share. */
#define OPTION_TENANT \
	{ \
		't', "tenant", OPTION_FLEET, "TENANT", \
			"the tenant, a bot fleet (default: the profile's, else 'default')", NULL \
	}
#define OPTION_REASON \
	{ \
		'r', "reason", OPTION_TEXT, "TEXT", "the reason, for the audit log", NULL \
	}
#define OPTION_KIND \
	{ \
		'k', "kind", OPTION_CHOICE, "KIND", "the kind of account (default: user)", \
			"user|team|org|model|tenant" \
	}

#endif
