/* Finds a command in the table. */
#include "cli/core/command.h"

#include <string.h>

/* How many of the words make up the command's name; 0 when they do not match. */
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

const struct command *command_find(
	const struct command_group *const *groups, int words_count, const char *const *words, int *used)
{
	for (const struct command_group *const *group = groups; *group; group++) {
		for (size_t i = 0; i < (*group)->count; i++) {
			*used = words_matched((*group)->commands[i].name, words_count, words);
			if (*used > 0)
				return &(*group)->commands[i];
		}
	}
	return NULL;
}

void command_nearest(const struct command_group *const *groups, const char *first, struct meant *meant)
{
	size_t len = strlen(first);
	char word[64];

	for (const struct command_group *const *group = groups; *group; group++) {
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
