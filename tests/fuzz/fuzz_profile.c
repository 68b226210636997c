/* The file of profiles: any file that can be read can be changed, and a change affects exactly one setting. */
#include <stdlib.h>
#include <string.h>

#include "cli/core/profile.h"
#include "fuzz/fuzz.h"

static bool same(const char *a, const char *b)
{
	return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

/* All settings of `a` equal those of `b`, except one. */
static void same_but(const struct profiles *a, const struct profiles *b, const char *profile, int setting)
{
	HOLDS(a->count == b->count && strcmp(a->default_name, b->default_name) == 0);
	for (size_t i = 0; i < a->count; i++) {
		HOLDS(strcmp(a->each[i].name, b->each[i].name) == 0);
		for (int k = 0; k < SETTING_COUNT; k++)
			if (k != setting || strcmp(a->each[i].name, profile) != 0)
				HOLDS(same(a->each[i].value[k], b->each[i].value[k]));
	}
}

static void change(const char *text, const struct profiles *before, const char *name, int setting, const char *value)
{
	struct buf changed = {0};
	struct profiles after;
	struct err err = {0};

	profile_text_set(&changed, text, name, profile_setting_names[setting], value);
	HOLDS(changed.len > PROFILE_FILE_MAX || profiles_parse(buf_str(&changed), changed.len, &after, &err));
	if (changed.len <= PROFILE_FILE_MAX) {
		same_but(before, &after, name, setting);
		HOLDS(same(profile_find(&after, name)->value[setting], value));
		profiles_release(&after);
	}
	buf_release(&changed);
}

static void drop(const char *text, const struct profiles *before, const char *name)
{
	struct buf rest = {0};
	struct profiles after;
	struct err err = {0};

	profile_text_drop(&rest, text, name);
	HOLDS(profiles_parse(buf_str(&rest), rest.len, &after, &err));
	HOLDS(after.count == before->count - 1 && !profile_find(&after, name));
	profiles_release(&after);
	buf_release(&rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profiles profiles;
	struct err err = {0};
	char *text;

	if (!profiles_parse((const char *)data, size, &profiles, &err)) {
		HOLDS(err.code == ERR_INVALID && err.text[0] >= '1' && err.text[0] <= '9');
		profiles_release(&profiles);
		return 0;
	}
	text = malloc(size + 1);
	HOLDS(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < profiles.count; i++) {
#ifdef PLANTED_BUG
		/* The mistake: assuming that every profile has an address. */
		HOLDS(profiles.each[i].value[SETTING_ADDR]);
#endif
		change(text, &profiles, profiles.each[i].name, SETTING_ADDR, "elsewhere:1");
		change(text, &profiles, profiles.each[i].name, SETTING_JSON, NULL);
		drop(text, &profiles, profiles.each[i].name);
	}
	free(text);
	profiles_release(&profiles);
	return 0;
}
