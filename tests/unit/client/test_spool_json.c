/* Records as JSON, as libbursar's spool writes and reads them (client/c/spool/private.h). */
#include <stdlib.h>
#include <string.h>

#include "c/spool/private.h"
#include "lib/test.h"

static Bursar__V1__RecordRequest *read_text(const char *text)
{
	struct bytes bytes = {.data = (uint8_t *)text, .len = strlen(text)};

	return bursar__record_read(&bytes);
}

static char *written(const Bursar__V1__RecordRequest *record)
{
	struct bytes bytes = {0};

	bursar__record_write(&bytes, record);
	bursar__bytes_put(&bytes, "", 1);
	return (char *)bytes.data;
}

static void check_types(const ProtobufCMessageDescriptor *descriptor)
{
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (field->label == PROTOBUF_C_LABEL_REPEATED || (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
			(field->type != PROTOBUF_C_TYPE_INT32 && field->type != PROTOBUF_C_TYPE_INT64 &&
				field->type != PROTOBUF_C_TYPE_BOOL && field->type != PROTOBUF_C_TYPE_STRING &&
				field->type != PROTOBUF_C_TYPE_MESSAGE))
			fail_msg("%s.%s: teach json_write.c and json_read.c its type", descriptor->name, field->name);
		assert_true(strlen(field->name) < 64);
		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			check_types(field->descriptor);
	}
}

TEST(every_field_of_a_record_has_a_type_that_is_known)
{
	check_types(&bursar__v1__record_request__descriptor);
}

TEST(a_record_is_written_as_protobufs_json)
{
	Bursar__V1__RecordRequest record = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation = BURSAR__V1__RESERVATION_REF__INIT;
	Bursar__V1__TokenUsage usage = BURSAR__V1__TOKEN_USAGE__INIT;
	Bursar__V1__ProviderUsage provider = BURSAR__V1__PROVIDER_USAGE__INIT;
	char *text;

	reservation.user = (char *)"ann";
	reservation.request_id = (char *)"a/b 1";
	reservation.started_at_us = 5;
	usage.cache_write_1h_tokens = INT64_MAX;
	usage.input_tokens = -1;
	provider.json = (char *)"{\"prompt_tokens\":2}\n\x7f \xc3\xa9";
	record.reservation = &reservation;
	record.usage = &usage;
	record.model = (char *)"gpt-5";
	record.attempt = 3;
	record.keep_open = true;
	record.provider_usage = &provider;
	text = written(&record);
	assert_string_equal(text,
		"{\"reservation\":{\"user\":\"ann\",\"requestId\":\"a/b 1\",\"startedAtUs\":\"5\"},"
		"\"usage\":{\"inputTokens\":\"-1\",\"cacheWrite1hTokens\":\"9223372036854775807\"},\"model\":\"gpt-5\",\"attempt\":3,"
		"\"keepOpen\":true,\"providerUsage\":{\"json\":\"{\\\"prompt_tokens\\\":2}\\u000a\x7f \xc3\xa9\"}}\n");
	free(text);
}

TEST(what_was_written_is_read_again_whatever_it_says)
{
	Bursar__V1__RecordRequest record = BURSAR__V1__RECORD_REQUEST__INIT, *again;
	Bursar__V1__TokenUsage usage = BURSAR__V1__TOKEN_USAGE__INIT;
	char *text, hostile[256];

	for (int i = 0; i < 255; i++)
		hostile[i] = (char)(i + 1);
	hostile[255] = '\0';
	for (unsigned i = 0; i < usage.base.descriptor->n_fields; i++)
		*(int64_t *)((char *)&usage + usage.base.descriptor->fields[i].offset) = INT64_MIN + i;
	record.usage = &usage;
	record.model = hostile;
	record.attempt = INT32_MIN;
	text = written(&record);
	again = read_text(text);
	assert_non_null(again);
	assert_string_equal(again->model, hostile);
	assert_int_equal(again->attempt, INT32_MIN);
	assert_null(again->reservation);
	for (unsigned i = 0; i < usage.base.descriptor->n_fields; i++)
		assert_int_equal(
			*(int64_t *)((char *)again->usage + usage.base.descriptor->fields[i].offset), INT64_MIN + i);
	bursar_free(again);
	free(text);
}

TEST(what_other_clients_write_is_read)
{
	Bursar__V1__RecordRequest *record = read_text(
		" { \"reservation\" : {\"handle\":\"h\"}, \"usage\": {\"input_tokens\": 7, \"outputTokens\": \"8\", \"pages\": null},\r\n"
		"\t\"laterField\": {\"a\": [1, {\"b\": \"\\\"]\"}, true, -1.5e+3]}, \"keep_open\": false, \"provider_cost\": {},"
		"\"model\": \"\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\\\" } ");

	assert_non_null(record);
	assert_string_equal(record->reservation->handle, "h");
	assert_int_equal(record->usage->input_tokens, 7);
	assert_int_equal(record->usage->output_tokens, 8);
	assert_int_equal(record->usage->pages, 0);
	assert_false(record->keep_open);
	assert_non_null(record->provider_cost);
	assert_string_equal(record->model, "\xc3\xa9\xf0\x9f\x98\x80/\b\f\n\r\t\\");
	bursar_free(record);
}

TEST(what_is_no_record_is_refused)
{
	static const char *const texts[] = {"", "null", "[]", "{", "{}x", "{\"model\"}", "{\"model\":}",
		"{\"model\":1}", "{\"model\":\"a}", "{\"model\":\"\\x\"}", "{\"model\":\"\\u12\"}",
		"{\"model\":\"\\u0000\"}", "{\"model\":\"\\ud800\"}", "{\"model\":\"\\ud800\\u0041\"}",
		"{\"model\":\"\\udc00\"}", "{\"model\":\"\n\"}", "{\"model\":\"a\",}",
		"{\"model\":\"a\" \"lease\":\"b\"}", "{,}", "{\"attempt\":1.5}", "{\"attempt\":2147483648}",
		"{\"attempt\":\"\"}", "{\"attempt\":\" 1\"}", "{\"attempt\":true}", "{\"keepOpen\":1}",
		"{\"keepOpen\":\"true\"}", "{\"usage\":7}", "{\"usage\":[]}",
		"{\"usage\":{\"inputTokens\":9223372036854775808}}", "{\"usage\":{\"inputTokens\":--1}}",
		"{\"x\":[1,]}", "{\"x\":}", "{\"x\":[}", "{\"reservation\":{\"user\":\"a\"}"};
	char deep[2000];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		Bursar__V1__RecordRequest *record = read_text(texts[i]);

		if (record)
			fail_msg("is read: %s", texts[i]);
	}
	strcpy(deep, "{\"x\":");
	memset(deep + 5, '[', 1900);
	deep[1905] = '\0';
	assert_null(read_text(deep));
}
