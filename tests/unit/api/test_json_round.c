/* Every message of the API is written and read back the same. */
#include <string.h>

#include "api/json/json_message.h"
#include "base/buf.h"
#include "fill.h"
#include "lib/every.pb-c.h"
#include "lib/test.h"

enum { SEEDS = 12 };

static struct arena arena;

static void pack(const ProtobufCMessage *message, struct buf *out)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	buf_reset(out);
	buf_reserve(out, len);
	out->len = protobuf_c_message_pack(message, (uint8_t *)out->data);
}

static void round_trip(const ProtobufCMessage *message, void *ctx)
{
	struct buf *json = ctx, before = {0}, after = {0};
	ProtobufCMessage *again = arena_zalloc(&arena, 1, message->descriptor->sizeof_message);
	struct err err;

	buf_reset(json);
	json_write_message(message, json);
	protobuf_c_message_init(message->descriptor, again);
	if (!json_read_message(buf_str(json), json->len, again, &arena, &err))
		fail_msg("%s: %s: %s", message->descriptor->name, err.text, buf_str(json));
	pack(message, &before);
	pack(again, &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(buf_str(&before), buf_str(&after), before.len);
	buf_release(&before);
	buf_release(&after);
	arena_reset(&arena);
}

static void round_trips(const ProtobufCMessageDescriptor *type, void *ctx)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		round_trip(message_filled(type, seed, &arena), ctx);
}

TEST(every_message_of_the_api_reads_back_as_it_was_written)
{
	struct buf json = {0};

	each_type(round_trips, &json);
	buf_release(&json);
	arena_release(&arena);
}

TEST(every_type_of_field_reads_back_as_it_was_written)
{
	struct buf json = {0};

	for (uint64_t seed = 0; seed < 200; seed++)
		round_trip(message_filled(&bursar__test__every__descriptor, seed, &arena), &json);
	buf_release(&json);
	arena_release(&arena);
}

/* The durations of the API. A new ..._us that is a point in time needs a name that says so: see json_is_time(). */
static const char *const durations[] = {"age_us", "digest_us", "drain_us", "estimate_us", "eta_us", "held_us",
	"interval_us", "learn_margin_us", "learning_us", "lease_us", "max_wait_us", "mean_hold_us",
	"oldest_eligible_wait_us", "oldest_wait_us", "overlap_us", "period_us", "predicted_wait_max_us",
	"reservation_ttl_us", "retry_after_us", "slot_us", "starve_us", "sum_hold_us", "sum_wait_us", "tell_again_us",
	"timeout_us", "took_us", "wait_max_us", "waited_us"};

static void classify(const ProtobufCMessageDescriptor *type, void *ctx)
{
	size_t *found = ctx;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		size_t len = strlen(field->name);
		bool duration = false;

		for (size_t k = 0; k < sizeof(durations) / sizeof(durations[0]); k++)
			duration |= strcmp(field->name, durations[k]) == 0;
		if (len > 3 && strcmp(field->name + len - 3, "_us") == 0) {
			if (json_is_time(field) == duration)
				fail_msg("%s.%s: is it a point in time?", type->name, field->name);
			++*found;
		} else {
			assert_false(json_is_time(field));
		}
	}
}

TEST(every_us_is_a_point_in_time_or_a_duration)
{
	size_t found = 0;

	each_type(classify, &found);
	assert_true(found > 90);
}
