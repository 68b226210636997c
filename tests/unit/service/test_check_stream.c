/* CheckStream on fake stores and a fake call: what is decided when, who waits for whom, and what goes back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/limiter/limiter.h"
#include "bursar/v1/limiter.pb-c.h"
#include "fake_stream.h"

enum { ITEMS_MAX = 1000, OPEN_MAX = 256, DEAF_MAX = 1000 };

struct answers {
	size_t count;
	struct answered {
		uint64_t id;
		bool allowed;
		int32_t code;
		char field[64];
	} answer[4 * ITEMS_MAX];
};
static struct answers answers;

/* Adds an item to a message: each has its own id, and a request id of the same number. */
static void item_put(struct buf *message, uint64_t id, const char *user)
{
	Bursar__V1__CheckStreamRequest request = BURSAR__V1__CHECK_STREAM_REQUEST__INIT;
	Bursar__V1__StreamedCheck item = BURSAR__V1__STREAMED_CHECK__INIT, *items = &item;
	Bursar__V1__CheckRequest check = BURSAR__V1__CHECK_REQUEST__INIT;
	char name[32], user_copy[32], request_id[32], model[] = "gpt-5-mini";
	size_t bytes;

	snprintf(name, sizeof(name), "%llu", (unsigned long long)id);
	strcpy(request_id, name);
	strcpy(user_copy, user);
	check.user = user_copy;
	check.request_id = request_id;
	check.model = model;
	check.input_tokens = 1;
	check.max_output_tokens = 1;
	item.id = id;
	item.check = &check;
	request.items = &items;
	request.n_items = 1;
	bytes = bursar__v1__check_stream_request__get_packed_size(&request);
	bursar__v1__check_stream_request__pack(&request, (uint8_t *)buf_reserve(message, bytes));
	message->len += bytes;
}

/* Gives a message of so many items of the user, the first of which has this id. */
static void give(struct fake_stream *stream, uint64_t first, size_t count, const char *user)
{
	struct buf message = {0};

	for (size_t i = 0; i < count; i++)
		item_put(&message, first + i, user);
	fake_stream_give(stream, message.data, message.len);
	buf_release(&message);
}

/* What has been written so far. */
static void answers_read(const struct fake_stream *stream)
{
	answers.count = 0;
	for (int w = 0; w < stream->writes; w++) {
		Bursar__V1__CheckStreamResponse *response = bursar__v1__check_stream_response__unpack(
			NULL, stream->written[w].len, (const uint8_t *)stream->written[w].data);

		assert_non_null(response);
		for (size_t i = 0; i < response->n_items; i++) {
			const Bursar__V1__StreamedAnswer *item = response->items[i];
			struct answered *answer = &answers.answer[answers.count++];

			*answer =
				(struct answered){.id = item->id, .allowed = item->response && item->response->allowed};
			assert_true(!item->response != !item->error);
			if (!item->error)
				continue;
			answer->code = item->error->code;
			strcpy(answer->field, item->error->field);
		}
		bursar__v1__check_stream_response__free_unpacked(response, NULL);
	}
}

/* Answers the stores and takes what is written until nothing is left to do. */
static void run(struct fake *fake, struct fake_stream *stream)
{
	do {
		fake_run(fake);
		if (fake_stream_writes(stream))
			fake_stream_wrote(stream, true);
	} while (fake->events || fake_stream_writes(stream));
	answers_read(stream);
}

static size_t allowed_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < answers.count; i++)
		count += answers.answer[i].allowed;
	return count;
}

/* The stream has no more to read, and ends with this code. */
static void closes(struct fake *fake, struct fake_stream *stream, enum err_code code)
{
	run(fake, stream);
	if (fake_stream_reads(stream))
		fake_stream_give(stream, NULL, 0);
	run(fake, stream);
	assert_true(stream->ended);
	assert_int_equal(stream->err.code, code);
	fake_stream_release(stream);
}

/* Uses up what ann of the free tier has: each of her checks is denied from then on. */
static void use_up(struct fake *fake)
{
	for (int i = 0; i < 3; i++) {
		char request_id[] = {'u', (char)('0' + i), '\0'};

		assert_true(fake_check(fake, CHECK_REAL, "ann", request_id)->answer.allowed);
	}
}

FAKED(items_are_decided_together_and_answered_with_their_ids)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	fake_check(fake, CHECK_STATUS, "ann", "");
	fake_stream_open(&stream, limiter_check_stream, fake);
	fake->checks = 0;
	give(&stream, 70, 4, "ann");
	assert_int_equal(fake->checks, 4);
	assert_true(fake_stream_reads(&stream));
	run(fake, &stream);
	assert_int_equal(stream.writes, 1);
	assert_int_equal(answers.count, 4);
	assert_int_equal(allowed_count(), 3);
	for (size_t i = 0; i < answers.count; i++)
		assert_true(answers.answer[i].id >= 70 && answers.answer[i].id < 74);
	assert_false(stream.ended);
	assert_int_equal(fake->kept, 3);
	closes(fake, &stream, ERR_NONE);
}

FAKED(messages_are_read_while_others_are_being_decided)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	use_up(fake);
	fake_stream_open(&stream, limiter_check_stream, fake);
	for (uint64_t i = 0; i < 5; i++)
		give(&stream, i, 1, "ann");
	run(fake, &stream);
	assert_int_equal(answers.count, 5);
	assert_int_equal(stream.writes, 1);
	closes(fake, &stream, ERR_NONE);
}

FAKED(an_error_concerns_its_item_only)
{
	struct fake *fake = *state;
	struct fake_stream stream;
	struct buf message = {0};

	fake_stream_open(&stream, limiter_check_stream, fake);
	item_put(&message, 1, "");
	item_put(&message, 2, "ann");
	buf_put(&message, "\x0a\x02\x08\x03", 4); /* id 3, no check */
	fake_stream_give(&stream, message.data, message.len);
	run(fake, &stream);
	assert_int_equal(answers.count, 3);
	for (size_t i = 0; i < answers.count; i++) {
		const struct answered *answer = &answers.answer[i];

		assert_int_equal(answer->allowed, answer->id == 2);
		assert_int_equal(answer->code, answer->id == 2 ? 0 : 3);
		assert_string_equal(answer->field, answer->id == 1 ? "check.user" : answer->id == 3 ? "check" : "");
	}
	buf_reset(&message);
	item_put(&message, 4, "ann");
	fake_stream_give(&stream, message.data, message.len);
	run(fake, &stream);
	assert_int_equal(answers.count, 4);
	buf_release(&message);
	closes(fake, &stream, ERR_NONE);
}

/* Whatever is not a message ends the stream, after what came before has been answered. */
FAKED(a_malformed_message_ends_the_stream_and_what_came_before_is_answered)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {{"\x0a\x05\x08", 3}, {"", 0}, {"\x0a\x02\xff\xff", 4}, {"\xff", 1}};
	struct fake *fake = *state;
	struct fake_stream stream;

	use_up(fake);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fake_stream_open(&stream, limiter_check_stream, fake);
		give(&stream, 1, 2, "ann");
		fake_stream_give(&stream, bad[i].bytes, bad[i].len);
		run(fake, &stream);
		assert_int_equal(answers.count, 2);
		closes(fake, &stream, ERR_INVALID);
	}
}

FAKED(a_message_has_a_thousand_items_at_most)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	use_up(fake);
	fake_stream_open(&stream, limiter_check_stream, fake);
	give(&stream, 0, ITEMS_MAX, "ann");
	run(fake, &stream);
	assert_int_equal(answers.count, ITEMS_MAX);
	give(&stream, 0, ITEMS_MAX + 1, "ann");
	run(fake, &stream);
	assert_string_equal(stream.err.field, "items");
	assert_int_equal(answers.count, ITEMS_MAX);
	closes(fake, &stream, ERR_INVALID);
}

FAKED(a_stream_has_some_items_decided_at_once_and_the_others_wait)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	use_up(fake);
	fake_stream_open(&stream, limiter_check_stream, fake);
	fake->checks = 0;
	give(&stream, 0, ITEMS_MAX, "ann");
	assert_int_equal(fake->checks, OPEN_MAX);
	assert_false(fake_stream_reads(&stream));
	run(fake, &stream);
	assert_int_equal(fake->checks, ITEMS_MAX);
	assert_int_equal(answers.count, ITEMS_MAX);
	closes(fake, &stream, ERR_NONE);
}

FAKED(a_caller_who_takes_no_answers_is_not_read_from_until_they_do)
{
	struct fake *fake = *state;
	struct fake_stream stream;
	uint64_t given = 0;

	use_up(fake);
	fake_stream_open(&stream, limiter_check_stream, fake);
	while (fake_stream_reads(&stream)) {
		assert_true(given < 4 * OPEN_MAX);
		give(&stream, given, 50, "ann");
		given += 50;
		fake_run(fake); /* and nobody takes what is written */
	}
	assert_true(fake_stream_writes(&stream));
	assert_int_equal(stream.writes, 0);
	run(fake, &stream);
	assert_int_equal(answers.count, given);
	assert_true(fake_stream_reads(&stream));
	closes(fake, &stream, ERR_NONE);
}

FAKED(closing_the_sending_side_ends_the_stream_after_the_last_answer)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	fake_stream_open(&stream, limiter_check_stream, fake);
	give(&stream, 0, 2, "ann");
	fake_stream_give(&stream, NULL, 0);
	assert_false(stream.ended);
	run(fake, &stream);
	assert_int_equal(answers.count, 2);
	assert_int_equal(fake->kept, 2);
	closes(fake, &stream, ERR_NONE);
}

FAKED(a_stream_without_items_ends_well)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	fake_stream_open(&stream, limiter_check_stream, fake);
	closes(fake, &stream, ERR_NONE);
}

FAKED(what_is_not_answered_when_its_caller_leaves_goes_back)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	fake_stream_open(&stream, limiter_check_stream, fake);
	give(&stream, 0, 3, "ann");
	fake_stream_leave(&stream);
	assert_false(stream.ended);
	run(fake, &stream);
	assert_int_equal(fake->markers, 3);
	assert_int_equal(fake->given_back, 3);
	assert_int_equal(fake->kept, 0);
	closes(fake, &stream, ERR_CANCELLED);
}

/* One answer was taken, one is being written, one waits behind it. */
FAKED(what_was_taken_stays_and_what_was_being_written_goes_back)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	fake_stream_open(&stream, limiter_check_stream, fake);
	for (uint64_t i = 0; i < 3; i++) {
		give(&stream, i, 1, "ann");
		fake_run(fake);
		if (i == 0)
			fake_stream_wrote(&stream, true);
	}
	assert_int_equal(fake->kept, 1);
	fake_stream_leave(&stream);
	run(fake, &stream);
	assert_int_equal(fake->kept, 1);
	assert_int_equal(fake->given_back, 2);
	closes(fake, &stream, ERR_CANCELLED);
}

/* Whatever comes first, the failed write or the caller's end. */
FAKED(answers_whose_write_fails_go_back)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	fake_stream_open(&stream, limiter_check_stream, fake);
	for (uint64_t i = 0; i < 2; i++) {
		give(&stream, i, 1, "ann");
		fake_run(fake);
	}
	stream.call.cancelled = 1;
	fake_stream_wrote(&stream, false);
	assert_int_equal(fake->given_back, 2);
	assert_int_equal(fake->kept, 0);
	fake_stream_leave(&stream);
	closes(fake, &stream, ERR_CANCELLED);
	assert_int_equal(fake->given_back, 2);
}

/* Both ends come while an answer is on its way: whether it arrives decides. */
FAKED(an_answer_that_is_written_when_the_stream_ends_counts_by_what_becomes_of_it)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	for (int cancelled = 0; cancelled < 2; cancelled++) {
		fake_stream_open(&stream, limiter_check_stream, fake);
		give(&stream, (uint64_t)cancelled, 1, "ann");
		fake_run(fake);
		fake_stream_give(&stream, NULL, 0);
		assert_true(fake_stream_writes(&stream) && stream.call.answered);
		stream.call.cancelled = cancelled;
		fake_stream_wrote(&stream, !cancelled);
		assert_int_equal(fake->kept, 1);
		assert_int_equal(fake->given_back, cancelled);
		closes(fake, &stream, ERR_NONE);
	}
}

FAKED(a_server_that_stops_answers_what_it_has_read_and_then_sends_the_caller_away)
{
	struct fake *fake = *state;
	struct fake_stream stream, late;

	fake_stream_open(&stream, limiter_check_stream, fake);
	give(&stream, 0, 2, "ann");
	fake_stream_drain(&stream);
	assert_false(stream.ended);
	give(&stream, 2, 1, "ann"); /* which was on its way */
	assert_false(fake_stream_reads(&stream));
	run(fake, &stream);
	assert_int_equal(answers.count, 3);
	assert_int_equal(fake->kept, 3);
	assert_string_equal(stream.err.reason, "DRAINING");
	closes(fake, &stream, ERR_UNAVAILABLE);

	fake_stream_open(&late, limiter_check_stream, fake);
	fake_stream_drain(&late);
	assert_true(late.ended);
	closes(fake, &late, ERR_UNAVAILABLE);
}

/* Each of them is within its own bound. */
FAKED(streams_whose_answers_nobody_takes_are_cut_off_when_they_hold_too_much_together)
{
	struct fake *fake = *state;
	struct fake_stream *stream = mem_zalloc(DEAF_MAX, sizeof(*stream));
	int count = 0, cut = 0;

	use_up(fake);
	while (!cut) {
		assert_true(count < DEAF_MAX);
		fake_stream_open(&stream[count], limiter_check_stream, fake);
		while (fake_stream_reads(&stream[count])) {
			give(&stream[count], 0, OPEN_MAX, "ann");
			fake_run(fake);
		}
		cut = stream[count++].call.answered;
	}
	assert_string_equal(
		stream[count - 1].err.text, "the answers were not read, and their memory was needed for others");
	assert_true(count > 32);
	for (int i = 0; i < count - 1; i++)
		closes(fake, &stream[i], ERR_NONE);
	closes(fake, &stream[count - 1], ERR_EXHAUSTED);
	free(stream);
}

REMEMBERING(denials_from_memory_are_answered_in_the_same_turn)
{
	struct fake *fake = *state;
	struct fake_stream stream;

	use_up(fake);
	assert_false(fake_check(fake, CHECK_REAL, "ann", "u3")->answer.allowed);
	fake_stream_open(&stream, limiter_check_stream, fake);
	fake->checks = 0;
	for (uint64_t i = 0; i < 6; i++) {
		give(&stream, i * ITEMS_MAX / 2, ITEMS_MAX / 2, "ann");
		run(fake, &stream);
	}
	assert_int_equal(answers.count, 3 * ITEMS_MAX);
	assert_int_equal(allowed_count(), 0);
	closes(fake, &stream, ERR_NONE);
}
