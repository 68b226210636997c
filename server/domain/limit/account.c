/* The names of account kinds, and which overrides of a profile have ended. */
#include "domain/limit/account.h"

#include <string.h>

static const char *const kind_names[] = {NULL, "user", "team", "org", "model", "tenant"};

const char *account_kind_name(enum account_kind kind)
{
	return kind >= ACCOUNT_USER && kind <= ACCOUNT_TENANT ? kind_names[kind] : NULL;
}

bool account_kind_parse(const char *text, enum account_kind *out)
{
	for (int i = ACCOUNT_USER; i <= ACCOUNT_TENANT; i++)
		if (strcmp(kind_names[i], text) == 0) {
			*out = (enum account_kind)i;
			return true;
		}
	return false;
}

char account_kind_letter(enum account_kind kind)
{
	static const char letters[] = {
		[ACCOUNT_USER] = 'u',
		[ACCOUNT_TEAM] = 't',
		[ACCOUNT_ORG] = 'o',
		[ACCOUNT_MODEL] = 'm',
		[ACCOUNT_TENANT] = 'n',
	};

	return letters[kind];
}

int profile_drop_ended(struct account_profile *profile, int64_t now_us)
{
	int kept = 0, count = profile->override_count;

	for (int i = 0; i < count; i++)
		if (!limit_ended(&profile->overrides[i], now_us))
			profile->overrides[kept++] = profile->overrides[i];
	profile->override_count = kept;
	return count - kept;
}
