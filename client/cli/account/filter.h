/* The options that select accounts, shared by `account list` and `bulk`. */
#ifndef BURSAR_CLI_ACCOUNT_FILTER_H
#define BURSAR_CLI_ACCOUNT_FILTER_H

#include "bursar/v1/admin.pb-c.h"
#include "cli/core/command.h"

#define OPTIONS_FILTER \
	{'\0', "tier", OPTION_TEXT, "TIER", "accounts on this tier", NULL}, \
		{'\0', "prefix", OPTION_TEXT, "TEXT", "accounts whose id begins with TEXT", NULL}, \
		{'\0', "team", OPTION_TEXT, "TEAM", "users of this team", NULL}, \
		{'\0', "org", OPTION_TEXT, "ORG", "teams of this org, and users of it without a team", NULL}, \
		{'\0', "state", OPTION_CHOICE, "STATE", "accounts in this state (default: all except deleted)", \
			"active|suspended|bypassed|grace|deleted|pending|any"}, \
		{'\0', "suspended", OPTION_FLAG, NULL, "short for --state suspended", NULL}, \
		{'\0', "deleted", OPTION_FLAG, NULL, "short for --state deleted", NULL}, \
		{'\0', "overrides", OPTION_FLAG, NULL, "accounts with overrides", NULL}, \
		{'\0', "created-since", OPTION_TIME, "TIME", "accounts created since TIME", NULL}, \
	{ \
		'\0', "updated-since", OPTION_TIME, "TIME", "accounts changed since TIME", NULL \
	}

/* Fills `filter`; its strings belong to the options. False with cli->err. */
bool read_account_filter(struct cli *cli, Bursar__V1__AccountFilter *filter);

/* Whether any of them was given. */
bool account_filter_given(const struct cli *cli);

#endif
