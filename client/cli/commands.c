/* Every command there is. */
#include "cli/commands.h"

#include <string.h>

#include "base/text/distance.h"

const struct command_group *const command_groups[] = {
	&check_commands,
	&status_commands,
	&account_commands,
	&bulk_commands,
	&tenant_commands,
	&text_commands,
	&tier_commands,
	&document_commands,
	&price_commands,
	&price_list_commands,
	&reservation_commands,
	&ledger_commands,
	&report_commands,
	&stats_commands,
	&key_commands,
	&audit_commands,
	&watch_commands,
	&doctor_commands,
	&pool_commands,
	&run_commands,
	&replay_commands,
	&profile_commands,
	&meta_commands,
	NULL,
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

void command_nearest(const char *first, struct meant *meant)
{
	size_t len = strlen(first);
	char word[64];

	for (const struct command_group *const *group = command_groups; *group; group++) {
		for (size_t i = 0; i < (*group)->count; i++) {
			const char *name = (*group)->commands[i].name;

			if ((*group)->commands[i].hidden || strlen(name) >= sizeof(word))
				continue;
			if (len > 0 && (strncmp(name, first, len) != 0 || name[len] != ' '))
				continue;
			memcpy(word, name + len + (len > 0), strlen(name + len + (len > 0)) + 1);
			word[strcspn(word, " ")] = '\0';
			meant_try(meant, word);
		}
	}
}
