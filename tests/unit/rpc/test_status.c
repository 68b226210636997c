/* Errors as gRPC details: which details each kind of error has. */
#include <string.h>

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "lib/test.h"
#include "rpc/status.h"

static struct arena arena;

static Google__Rpc__Status *unpacked(const struct err *err)
{
	size_t len;
	const uint8_t *bytes = status_details(&arena, err, &len);
	Google__Rpc__Status *status = google__rpc__status__unpack(NULL, len, bytes);

	assert_non_null(status);
	assert_int_equal(status->code, status_code(err->code));
	assert_string_equal(status->message, err->text);
	return status;
}

static void assert_type(const Google__Rpc__Status *status, size_t i, const char *type)
{
	assert_true(i < status->n_details);
	assert_string_equal(status->details[i]->type_url, type);
}

static int drop(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

/* The size in HTTP/2: the message is percent-encoded, the details are in base64. */
static size_t bytes_on_the_wire(const struct err *err)
{
	size_t details;
	size_t bytes = strlen("grpc-message") + strlen("grpc-status-details-bin");

	status_details(&arena, err, &details);
	for (const char *at = err->text; *at; at++)
		bytes += *at < ' ' || *at > '~' || *at == '%' ? 3 : 1;
	return bytes + (details + 2) / 3 * 4;
}

/* gRPC clients accept 8 KiB of metadata and replace anything larger with a RESOURCE_EXHAUSTED of their own. */
TEST(the_longest_error_stays_below_8_KiB)
{
	static const char *const letters[] = {"x", "%", "\u00e4", "\u20ac", "\U0001f600"};
	struct err err;

	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
		char text[sizeof(err.text) + 8] = "";

		while (strlen(text) < sizeof(err.text))
			strcat(text, letters[i]);
		err_invalid(&err, text, "%s", text);
		err_reason_of(&err, text, "%s", text);
		err.retry_after_us = INT64_MAX;
		assert_true(bytes_on_the_wire(&err) < 8192);
		assert_true(strlen(err.text) > sizeof(err.text) - 8);
	}
}

TEST_WITH(a_plain_error_has_no_details, NULL, drop)
{
	struct err err;
	Google__Rpc__Status *status;

	err_set(&err, ERR_UNAVAILABLE, "connect again");
	status = unpacked(&err);
	assert_int_equal(status->n_details, 0);
	google__rpc__status__free_unpacked(status, NULL);
}

TEST_WITH(a_reason_for_programs_is_an_error_info_beside_when_to_come_again, NULL, drop)
{
	struct err err;
	Google__Rpc__Status *status;
	Google__Rpc__RetryInfo *retry;
	Google__Rpc__ErrorInfo *info;

	err_set(&err, ERR_EXHAUSTED, "the queue is full");
	err.retry_after_us = 2500000;
	err_reason(&err, "POOL_QUEUE_FULL");
	status = unpacked(&err);
	assert_int_equal(status->n_details, 2);
	assert_type(status, 0, "type.googleapis.com/google.rpc.RetryInfo");
	retry = google__rpc__retry_info__unpack(NULL, status->details[0]->value.len, status->details[0]->value.data);
	assert_int_equal(retry->retry_delay->seconds, 2);
	assert_int_equal(retry->retry_delay->nanos, 500000000);
	google__rpc__retry_info__free_unpacked(retry, NULL);
	assert_type(status, 1, "type.googleapis.com/google.rpc.ErrorInfo");
	info = google__rpc__error_info__unpack(NULL, status->details[1]->value.len, status->details[1]->value.data);
	assert_string_equal(info->reason, "POOL_QUEUE_FULL");
	assert_string_equal(info->domain, "bursar");
	google__rpc__error_info__free_unpacked(info, NULL);
	google__rpc__status__free_unpacked(status, NULL);
}

TEST_WITH(what_was_not_found_is_named_beside_the_reason, NULL, drop)
{
	struct err err;
	Google__Rpc__Status *status;
	Google__Rpc__ErrorInfo *info;

	err_set(&err, ERR_NOT_FOUND, "name: tenant acme has no tier %s", "golt");
	err_reason_of(&err, "TIER_NOT_FOUND", "%s", "golt");
	status = unpacked(&err);
	info = google__rpc__error_info__unpack(NULL, status->details[0]->value.len, status->details[0]->value.data);
	assert_string_equal(info->reason, "TIER_NOT_FOUND");
	assert_int_equal(info->n_metadata, 1);
	assert_string_equal(info->metadata[0]->key, "name");
	assert_string_equal(info->metadata[0]->value, "golt");
	google__rpc__error_info__free_unpacked(info, NULL);
	google__rpc__status__free_unpacked(status, NULL);
	err_set(&err, ERR_NOT_FOUND, "nothing");
	assert_string_equal(err.name, "");
}

TEST_WITH(a_field_at_fault_is_named_apart_from_the_sentence, NULL, drop)
{
	struct err err;
	Google__Rpc__Status *status;
	Google__Rpc__BadRequest *bad;

	err_invalid(&err, "seats", "must be 1 or more");
	status = unpacked(&err);
	assert_int_equal(status->n_details, 1);
	assert_type(status, 0, "type.googleapis.com/google.rpc.BadRequest");
	bad = google__rpc__bad_request__unpack(NULL, status->details[0]->value.len, status->details[0]->value.data);
	assert_int_equal(bad->n_field_violations, 1);
	assert_string_equal(bad->field_violations[0]->field, "seats");
	assert_string_equal(bad->field_violations[0]->description, "must be 1 or more");
	google__rpc__bad_request__free_unpacked(bad, NULL);
	google__rpc__status__free_unpacked(status, NULL);
}
