/* Messages as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/json/json_message.h"
#include "base/unconst.h"
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "lib/test.h"

static struct buf out;

static int give_back(void **state)
{
	(void)state;
	buf_release(&out);
	return 0;
}

#define WRITES(name) TEST_WITH(name, NULL, give_back)

static const char *written(const ProtobufCMessage *message)
{
	buf_reset(&out);
	json_write_message(message, &out);
	assert_int_equal(strlen(buf_str(&out)), out.len);
	return buf_str(&out);
}

WRITES(every_field_is_written_but_absent_parts)
{
	Bursar__V1__Queued queued = BURSAR__V1__QUEUED__INIT;
	Bursar__V1__LevelQueue level = {.base = PROTOBUF_C_MESSAGE_INIT(&bursar__v1__level_queue__descriptor),
		.priority = 5,
		.waiting = -1,
		.running = INT32_MIN};
	Bursar__V1__LevelQueue *levels[] = {&level, &level};
	Bursar__V1__AcquireResponse response = BURSAR__V1__ACQUIRE_RESPONSE__INIT;

	assert_string_equal(written(&response.base), "{}");
	queued.eta_us = INT64_MAX;
	queued.waited_us = INT64_MIN;
	queued.reason = BURSAR__V1__WAIT_REASON__WAIT_REASON_OWN_CAP;
	queued.n_ahead = 2;
	queued.ahead = levels;
	response.event_case = BURSAR__V1__ACQUIRE_RESPONSE__EVENT_QUEUED;
	response.queued = &queued;
	assert_string_equal(written(&response.base),
		"{\"queued\":{\"position\":0,\"eta_us\":\"9223372036854775807\",\"waited_us\":\"-9223372036854775808\","
		"\"wait_until_us\":\"0\",\"reason\":\"WAIT_REASON_OWN_CAP\","
		"\"ahead\":[{\"priority\":5,\"waiting\":-1,\"running\":-2147483648},"
		"{\"priority\":5,\"waiting\":-1,\"running\":-2147483648}]}}");
}

WRITES(members_of_oneofs_are_written_when_they_are_chosen)
{
	Bursar__V1__PutPoolRequest request = BURSAR__V1__PUT_POOL_REQUEST__INIT;

	assert_null(strstr(written(&request.base), "\"slots\""));
	request.slots_given_case = BURSAR__V1__PUT_POOL_REQUEST__SLOTS_GIVEN_SLOTS;
	assert_non_null(strstr(written(&request.base), "\"slots\":0,"));
}

WRITES(unused_meters_are_left_out)
{
	Bursar__V1__TokenUsage usage = BURSAR__V1__TOKEN_USAGE__INIT;

	usage.pages = 3;
	assert_string_equal(written(&usage.base),
		"{\"input_tokens\":\"0\",\"cached_input_tokens\":\"0\",\"cache_write_tokens\":\"0\",\"output_tokens\":\"0\","
		"\"reasoning_tokens\":\"0\",\"audio_input_tokens\":\"0\",\"audio_output_tokens\":\"0\",\"pages\":\"3\"}");
}

WRITES(text_is_escaped_and_always_utf8)
{
	static const struct {
		const char *text, *json;
	} rows[] = {{"", "\"\""}, {"a\"b\\c/", "\"a\\\"b\\\\c/\""}, {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
		{"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
		{"\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\""},
		{"a\xff\"\xc3", "\"a\xef\xbf\xbd\\\"\xef\xbf\xbd\""},
		{"\xed\xa0\x80\xc3\xa4\n", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4\\n\""}};
	Bursar__V1__Header header = BURSAR__V1__HEADER__INIT;
	char expected[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		header.name = unconst(rows[i].text);
		snprintf(expected, sizeof(expected), "{\"name\":%s,\"value\":\"\"}", rows[i].json);
		assert_string_equal(written(&header.base), expected);
	}
}

WRITES(doubles_are_short_and_exact)
{
	static const struct {
		double value;
		const char *json;
	} rows[] = {{0, "0"}, {0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"}, {1e300, "1e+300"}, {-2.5, "-2.5"},
		{NAN, "\"NaN\""}, {INFINITY, "\"Infinity\""}, {-INFINITY, "\"-Infinity\""},
		{5e-324, "4.94065645841247e-324"}};
	Bursar__V1__PoolLevelStats stats = BURSAR__V1__POOL_LEVEL_STATS__INIT;
	char expected[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		stats.share = rows[i].value;
		snprintf(expected, sizeof(expected), "\"share\":%s,", rows[i].json);
		assert_non_null(strstr(written(&stats.base), expected));
	}
}

WRITES(unknown_numbers_of_enums_are_written_as_numbers)
{
	Bursar__V1__KeptWindow window = BURSAR__V1__KEPT_WINDOW__INIT;

	window.window = (Bursar__V1__CalendarWindow)77;
	assert_string_equal(written(&window.base), "{\"window\":77,\"ends_at_us\":\"0\"}");
}

WRITES(bytes_are_base64)
{
	static const char *const json[] = {"\"\"", "\"+w==\"", "\"+/8=\"", "\"+/8A\"", "\"+/8Afg==\""};
	uint8_t bytes[] = {0xfb, 0xff, 0x00, 0x7e};
	Bursar__V1__ImportPricesRequest request = BURSAR__V1__IMPORT_PRICES_REQUEST__INIT;
	char expected[64];

	for (size_t i = 0; i <= sizeof(bytes); i++) {
		request.json_zlib = (ProtobufCBinaryData){.data = bytes, .len = i};
		snprintf(expected, sizeof(expected), "\"json_zlib\":%s", json[i]);
		assert_non_null(strstr(written(&request.base), expected));
	}
}

/* The bytes of a message, as the value of an Any. */
static Google__Protobuf__Any any_of(const char *url, const ProtobufCMessage *message, uint8_t room[256])
{
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;

	any.type_url = unconst(url);
	any.value = (ProtobufCBinaryData){.data = room, .len = protobuf_c_message_pack(message, room)};
	return any;
}

WRITES(a_status_is_written_with_its_details)
{
	uint8_t rooms[3][256];
	Google__Protobuf__Duration delay = {.base = PROTOBUF_C_MESSAGE_INIT(&google__protobuf__duration__descriptor),
		.seconds = 1,
		.nanos = 500000000};
	Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry entry = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry *entries[] = {&entry, &entry};
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
	Google__Protobuf__Any any[3], *details[] = {&any[0], &any[1], &any[2]};

	retry.retry_delay = &delay;
	entry.key = unconst("name");
	entry.value = unconst("gold");
	info.reason = unconst("TIER_NOT_FOUND");
	info.n_metadata = 2;
	info.metadata = entries;
	any[0] = any_of("type.googleapis.com/google.rpc.RetryInfo", &retry.base, rooms[0]);
	any[1] = any_of("type.googleapis.com/google.rpc.ErrorInfo", &info.base, rooms[1]);
	any[2] = any_of("type.googleapis.com/other.Thing", &delay.base, rooms[2]);
	status.code = 5;
	status.message = unconst("no such tier");
	status.n_details = 3;
	status.details = details;
	assert_string_equal(written(&status.base),
		"{\"code\":5,\"message\":\"no such tier\",\"details\":["
		"{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retry_delay\":\"1.500s\"},"
		"{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"TIER_NOT_FOUND\",\"domain\":\"\","
		"\"metadata\":{\"name\":\"gold\",\"name\":\"gold\"}},"
		"{\"@type\":\"type.googleapis.com/other.Thing\",\"value\":\"CAEQgMq17gE=\"}]}");
}

WRITES(durations_have_as_many_digits_as_they_need)
{
	static const struct {
		int64_t seconds;
		int32_t nanos;
		const char *json;
	} rows[] = {{0, 0, "\"0s\""}, {3, 0, "\"3s\""}, {3, 5000000, "\"3.005s\""}, {3, 5000, "\"3.000005s\""},
		{3, 5, "\"3.000000005s\""}, {-3, -5000000, "\"-3.005s\""}, {0, -500000000, "\"-0.500s\""}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;

		duration.seconds = rows[i].seconds;
		duration.nanos = rows[i].nanos;
		assert_string_equal(written(&duration.base), rows[i].json);
	}
}
