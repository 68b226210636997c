/* Token classes. */
#include "domain/record/entry.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const class_names[] = {
#define ROW(NAME, name) name,
	TOKEN_CLASSES(ROW)
#undef ROW
};

const char *token_class_name(enum token_class class)
{
	return class < TOKEN_CLASS_COUNT ? class_names[class] : NULL;
}

int64_t tokens_input(const struct tokens *tokens)
{
	return tokens->count[TOKEN_INPUT] + tokens->count[TOKEN_CACHED_INPUT] + tokens->count[TOKEN_CACHE_WRITE] +
	       tokens->count[TOKEN_AUDIO_INPUT];
}

int64_t tokens_output(const struct tokens *tokens)
{
	return tokens->count[TOKEN_OUTPUT] + tokens->count[TOKEN_REASONING] + tokens->count[TOKEN_AUDIO_OUTPUT];
}

static bool check_from(int64_t least, const struct tokens *tokens, const char *field, struct err *err)
{
	int64_t sum = 0;

	for (int i = 0; i < TOKEN_CLASS_COUNT; i++) {
		int64_t count = tokens->count[i];
		char path[96];

		snprintf(path, sizeof(path), "%s.%s_tokens", field, class_names[i]);
		if (count < least || count > COUNT_MAX)
			return err_invalid(err, path, "%" PRId64 " is not between %" PRId64 " and %" PRId64, count,
				least, COUNT_MAX);
		sum += count < 0 ? -count : count;
	}
	if (sum > COUNT_MAX)
		return err_invalid(
			err, field, "%" PRId64 " tokens in total; at most %" PRId64 " are allowed", sum, COUNT_MAX);
	return true;
}

bool tokens_check(const struct tokens *tokens, const char *field, struct err *err)
{
	return check_from(0, tokens, field, err);
}

bool tokens_check_signed(const struct tokens *tokens, const char *field, struct err *err)
{
	return check_from(-COUNT_MAX, tokens, field, err);
}
