/* The model's memory of what users have been told (lua/lib/tell.lua). */
#include "model_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "domain/limit/bucket.h"

#define TOLD_MIN_US MINUTE_US
#define TOLD_MAX_US HOUR_US
enum { TOLD_MAX = 16 }; /* of one user */

struct told {
	struct list link;
	char user[2 * ID_MAX + 8];
	char what[4 * ID_MAX];
	uint64_t nonce;
	int64_t until_us;
};

/* As bucket_wait, but no debt is longer than SPAN_MAX_US, with what is asked now. */
static int64_t bucket_passes_at(const struct limit *limit, const union limit_state *at, int64_t n, int64_t now_us)
{
	struct instant burst = {.us = limit->burst_us, .rem = limit->burst_rem};
	struct instant full = instant_add(bucket_full(at, now_us), bucket_time(limit, n), limit->den);

	if (full.us - now_us >= SPAN_MAX_US)
		full = (struct instant){.us = now_us + SPAN_MAX_US};
	full = instant_sub(full, burst, limit->den);
	return full.us + (full.rem > 0);
}

/* When the limit would let the request pass if nothing else were used; 0: in a moment, or never because it asks too much. */
static int64_t passes_at(const struct account_state *state, int index, const struct request *request)
{
	const struct limit *limit = &state->policy->limits[index];
	const union limit_state *at = &state->limits[index];
	int64_t n = request_tests(request, limit->dimension),
		effective = state_effective(state, limit, state->clock_us);

	if ((limit->kind == KIND_BUCKET ? limit->burst : limit->kind == KIND_LEVEL ? limit->amount : effective) == 0)
		return state->clock_us + TOLD_MAX_US;
	if (limit->kind == KIND_LEVEL)
		return 0;
	if (limit->kind == KIND_BUCKET)
		return n > limit->burst ? 0 : bucket_passes_at(limit, at, n, state->clock_us);
	if (n > effective ||
		(limit->dimension != DIM_REQUESTS && at->calendar.held > 0 && at->calendar.settled + n <= effective))
		return 0;
	return state->window_end[limit->unit];
}

/* What denies longest, as text, and until when it has been told then. */
static int64_t longest(
	const struct limits_check *op, const struct loaded *loaded, int64_t now_us, char what[4 * ID_MAX])
{
	int64_t last_us = -1;

	for (int a = 0; a < loaded->count; a++) {
		const struct account_state *state = loaded->pointer[a];
		char key[2 * ID_MAX + 8];

		account_key(&op->expected[a], key);
		if (state->suspended || state->deleted) {
			snprintf(what, 4 * ID_MAX, "%s/%u/%s", key, state->version, op->tell_place);
			return now_us + TOLD_MAX_US;
		}
		for (int i = 0; i < state->policy->count; i++) {
			const struct limit *limit = &state->policy->limits[i];
			int64_t at_us = passes_at(state, i, &op->request);

			if (!(loaded->verdict[a].failed & UINT32_C(1) << i) || at_us <= last_us)
				continue;
			last_us = at_us;
			snprintf(what, 4 * ID_MAX, "%s/%u/%" PRId64 "/%" PRId64 "/%s", key, limit->id,
				limit->kind == KIND_BUCKET ? limit->num : limit->amount,
				limit->kind == KIND_CALENDAR ? state->window_start[limit->unit] : 0, op->tell_place);
		}
	}
	if (last_us < now_us + TOLD_MIN_US)
		return now_us + TOLD_MIN_US;
	return last_us > now_us + TOLD_MAX_US ? now_us + TOLD_MAX_US : last_us;
}

static void told_free(struct told *told)
{
	list_remove(&told->link);
	free(told);
}

/* What is over is forgotten, and of the rest the oldest, when there is too much. */
static void told_tidy(struct model *model, const char *user)
{
	struct told *oldest = NULL;
	int count = 0;

	list_each (&model->told, at, after) {
		struct told *told = container_of(at, struct told, link);

		if (strcmp(told->user, user) != 0)
			continue;
		if (told->until_us <= model->now_us) {
			told_free(told);
			continue;
		}
		oldest = oldest ? oldest : told;
		count++;
	}
	if (count >= TOLD_MAX)
		told_free(oldest);
}

void model_tell(struct model *model, struct limits_check *op, const struct loaded *loaded)
{
	uint64_t nonce = nonce_of(model, op->nonce);
	char what[4 * ID_MAX], user[2 * ID_MAX + 8];
	int64_t ends_us = longest(op, loaded, model->now_us, what);
	struct told *told;

	account_key(&op->expected[0], user);
	list_each (&model->told, at, after) {
		told = container_of(at, struct told, link);
		if (strcmp(told->user, user) != 0 || strcmp(told->what, what) != 0 || told->until_us <= model->now_us)
			continue;
		op->tell = told->nonce == nonce ? TELL_NOW : TELL_NOT_AGAIN;
		op->told_until_us = told->until_us;
		return;
	}
	told_tidy(model, user);
	told = mem_zalloc(1, sizeof(*told));
	strcpy(told->user, user);
	strcpy(told->what, what);
	told->nonce = nonce;
	told->until_us = op->tell_again_us ? model->now_us + op->tell_again_us : ends_us;
	list_push_back(&model->told, &told->link);
	op->tell = TELL_NOW;
	op->told_until_us = told->until_us;
}

void model_forget_told(struct model *model)
{
	list_each (&model->told, at, after)
		told_free(container_of(at, struct told, link));
}
