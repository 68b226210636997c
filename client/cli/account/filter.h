/* Which accounts: the options that `account list` and `bulk` have in common. */
#ifndef BURSAR_CLI_ACCOUNT_FILTER_H
#define BURSAR_CLI_ACCOUNT_FILTER_H

#include "bursar/v1/admin.pb-c.h"
#include "cli/core/command.h"

#define OPTIONS_FILTER \
	{'\0', "tier", OPTION_TEXT, "TIER", "those on this tier", NULL}, \
		{'\0', "prefix", OPTION_TEXT, "TEXT", "those whose id begins so", NULL}, \
		{'\0', "team", OPTION_TEXT, "TEAM", "users of this team", NULL}, \
		{'\0', "org", OPTION_TEXT, "ORG", "users without a team, and teams, of this org", NULL}, \
		{'\0', "state", OPTION_CHOICE, "STATE", "those in this state (default: all but the deleted)", \
			"active|suspended|bypassed|grace|deleted|pending|any"}, \
		{'\0', "suspended", OPTION_FLAG, NULL, "short for --state suspended", NULL}, \
		{'\0', "deleted", OPTION_FLAG, NULL, "short for --state deleted", NULL}, \
		{'\0', "overrides", OPTION_FLAG, NULL, "those with limits of their own", NULL}, \
		{'\0', "created-since", OPTION_TIME, "TIME", "those made since then", NULL}, \
	{ \
		'\0', "updated-since", OPTION_TIME, "TIME", "those changed since then", NULL \
	}

/* Fills `filter`, whose texts are those of the options. False with cli->err. */
bool read_account_filter(struct cli *cli, Bursar__V1__AccountFilter *filter);

/* Was any of them given? */
bool account_filter_given(const struct cli *cli);

#endif
