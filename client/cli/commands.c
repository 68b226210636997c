/* Every command there is. */
#include "cli/commands.h"

#include <string.h>

#define GROUPS(GROUP) \
	GROUP(check_commands) \
	GROUP(status_commands) \
	GROUP(account_commands) GROUP(tenant_commands) GROUP(tier_commands) GROUP(price_commands) \
		GROUP(report_commands) GROUP(replay_commands) GROUP(meta_commands)

const struct command_group *const command_groups[] = {
#define GROUP(name) &name,
	GROUPS(GROUP) NULL,
#undef GROUP
};

/* How many of the words are the command's name; 0 when it is another's. */
static int words_matched(const char *name, int count, const char *const *words)
{
	int used = 0;

	while (*name) {
		size_t len = strcspn(name, " ");

		if (used >= count || strlen(words[used]) != len || strncmp(words[used], name, len) != 0)
			return 0;
		used++;
		name += len + (name[len] == ' ');
	}
	return used;
}

const struct command *command_find(int words_count, const char *const *words, int *used)
{
	for (const struct command_group *const *group = command_groups; *group; group++) {
		for (size_t i = 0; i < (*group)->count; i++) {
			*used = words_matched((*group)->commands[i].name, words_count, words);
			if (*used > 0)
				return &(*group)->commands[i];
		}
	}
	return NULL;
}
