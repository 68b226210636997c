/* Builds what a check asks the store, and what is kept with its reservation (service/request/check_private.h). */
#include "service/request/check_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto/hash.h"

/* Usually enough for what is packed here. */
enum { PACKED_ROOM = 512 };

/* Prices the request. Without a model the estimate holds no cost. */
static bool request_price(struct check *check, struct err *err)
{
	const struct check_question *question = &check->question;
	struct pricing pricing = {
		.catalog = check->snapshot->catalog,
		.settings = check->accounts.settings,
		.tenant = question->tenant,
		.user = question->user,
		.call = true,
	};
	struct meters meters = {.count = {[METER_INPUT] = question->input_tokens - question->cached_input_tokens,
					[METER_CACHED_INPUT] = question->cached_input_tokens,
					[METER_OUTPUT] = check->request.estimate.output}};

	for (int i = 0; question->counted && i < COUNTED_COUNT; i++)
		meters.count[counted_meter((enum counted)i)] = question->counted[i];
	check->answer.asked_model = question->model[0] != '\0';
	check->request.probe_cost = !check->answer.asked_model;
	if (!check->answer.asked_model)
		return true;
	if (!price_for_check(&pricing, question->model, "model", &meters,
		    (struct purchase){.mode = question->price_mode, .at_us = worker_now_us(check->worker)},
		    &check->answer.priced, err))
		return false;
	check->request.estimate.cost = check->answer.priced.cost.nano;
	/* With the call itself, if that has a price. */
	if (question->counted || meters.count[METER_CALLS])
		check->request.estimate.counted = meters_counted(&meters, check->arena);
	return true;
}

bool check_request_make(struct check *check, struct err *err)
{
	const struct check_question *question = &check->question;
	const struct tier *tier = check->accounts.account[0].tier;
	bool exact = question->exact_output || question->max_output_tokens;
	int64_t output = exact ? question->max_output_tokens : tier->default_output_tokens;

	check->request = (struct request){
		.interface_hash = selector_hash(question->interface, strlen(question->interface)),
		.model_hash = check->model.hash,
	};
	if (question->mode == CHECK_STATUS) {
		check->request.told = TOLD_ALL;
		return true;
	}
	if (question->expected_wrong)
		return err_invalid(err,
			arena_printf(check->arena, "expected[%d].dimension", question->expected_wrong - 1),
			"is given twice, or is not one of those that are counted by the piece, such as web_searches");
	if (output > COUNT_MAX - question->input_tokens)
		return err_invalid(err, "input_tokens", "input and output together exceed 9007199254740991 tokens");
	if (question->cached_input_tokens > question->input_tokens)
		return err_invalid(err, "cached_input_tokens",
			"is more than input_tokens, of which it is a part: %" PRId64 " of %" PRId64,
			question->cached_input_tokens, question->input_tokens);
	check->request.estimate = (struct amounts){.requests = 1, .input = question->input_tokens, .output = output};
	check->request.told = question->told;
	check->request.estimate.counted = question->counted;
	return request_price(check, err);
}

void check_digest_make(const struct check *check, uint8_t digest[8])
{
	const struct check_question *question = &check->question;
	char room[PACKED_ROOM];
	struct buf buf = buf_on(room, sizeof(room));
	uint64_t hash;

	buf_put_str16(&buf, question->interface, strlen(question->interface));
	buf_put_str16(&buf, check->model.key, strlen(check->model.key));
	buf_put_i64(&buf, question->input_tokens);
	buf_put_i64(&buf, question->max_output_tokens);
	/* Without a mode, a cached part or expected uses nothing is added, so the digest equals that of a release that had none of them. */
	if (question->price_mode[0])
		buf_put_str16(&buf, question->price_mode, strlen(question->price_mode));
	if (question->cached_input_tokens)
		buf_put_i64(&buf, question->cached_input_tokens);
	counted_put(&buf, &(struct amounts){.counted = question->counted}, question->told);
	if (question->exact_output) /* no mode is empty text */
		buf_put_str16(&buf, "", 0);
	hash = le64(hash64(buf.data, buf.len));
	memcpy(digest, &hash, sizeof(hash));
	buf_release(&buf);
}

void check_info_make(struct check *check)
{
	const struct check_question *question = &check->question;
	struct entry_info info = {
		.tenant = question->tenant,
		.user = question->user,
		.request_id = question->request_id,
		.interface = question->interface,
		.model = question->model,
		.tier = request_tier_name(&check->accounts.account[0]),
		.provider = check->model.provider,
		.price_model = check->model.model,
		.mode = question->price_mode,
		.reason = "",
		.actor = "",
		.groups_unknown = accounts_groups_unknown(&check->accounts),
		.accounts = check->accounts.count,
	};
	char room[PACKED_ROOM];
	struct buf buf = buf_on(room, sizeof(room));

	for (int i = 0; i < info.accounts; i++)
		info.account[i] = (struct entry_account){
			.kind = check->accounts.account[i].kind, .id = check->accounts.account[i].id};
	entry_info_pack(&info, &buf);
	check->op.info = (const uint8_t *)arena_strndup(check->arena, buf.data, buf.len);
	check->op.info_len = buf.len;
	buf_release(&buf);
}

/* The caller's deadline applies if it is earlier than the store's own timeout. */
void check_times_make(struct check *check)
{
	int64_t now_us = clock_mono_us();
	int64_t wait_us = check->worker->parts.conf->redis_timeout_ms * 1000;

	check->op.op.deadline_us = 0;
	if (check->question.deadline_us < now_us + wait_us) {
		check->op.op.deadline_us = check->question.deadline_us;
		wait_us = check->question.deadline_us - now_us;
	}
	check->op.latest_us = check->op.dry_run ? 0 : worker_now_us(check->worker) + wait_us;
}

const char *check_handle_make(const struct check *check)
{
	struct handle handle = {
		.tenant = check->question.tenant,
		.user = check->question.user,
		.request_id = check->question.request_id,
		.started_at_us = check->answer.started_at_us,
		.model = check->question.model,
		.mode = check->question.price_mode,
		.accounts = check->accounts.count,
	};

	for (int i = 0; i < handle.accounts; i++)
		handle.account[i] = (struct entry_account){
			.kind = check->accounts.account[i].kind, .id = check->accounts.account[i].id};
	return handle_format(&handle, check->arena);
}
