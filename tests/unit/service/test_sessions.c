/* The text of a session: only what a known signer has signed, unchanged. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lib/test.h"
#include "service/cache/sessions.h"
#include "store/catalog_build.h"

static const struct session made = {.key = 7, .issued_at_us = 1795996800000000, .expires_at_us = 1796040000000000};

/* A catalog of a process that signs with the first of `count` signers, and knows all of them. */
static struct catalog *catalog_of(const struct signer *signers, int count)
{
	struct catalog_parts parts = {.signers = count};

	parts.signer_public = mem_zalloc((size_t)count + 1, sizeof(*parts.signer_public));
	for (int i = 0; i < count; i++)
		memcpy(parts.signer_public[i], signers[i].public_key, SIGNER_PUBLIC_BYTES);
	if (count)
		parts.signer = signers[0];
	return catalog_new(&parts);
}

static void signers_make(struct signer *signers, int count)
{
	for (int i = 0; i < count; i++)
		signer_make(&signers[i]);
}

TEST(a_session_is_read_by_every_process_that_knows_its_signer)
{
	struct signer signers[9];
	struct catalog *catalog;
	char text[SESSION_TEXT_SIZE];
	struct session read = {0};

	signers_make(signers, 9);
	catalog = catalog_of(signers, 9);
	for (int i = 0; i < 9; i++) {
		session_make(&made, &signers[i], text);
		assert_int_equal(strlen(text), SESSION_TEXT_SIZE - 1);
		assert_true(session_read(text, strlen(text), catalog, &read));
		assert_int_equal(read.key, made.key);
		assert_int_equal(read.issued_at_us, made.issued_at_us);
		assert_int_equal(read.expires_at_us, made.expires_at_us);
	}
	catalog_release(catalog);
}

TEST(a_session_of_a_signer_that_is_not_known_is_refused)
{
	struct signer signers[2];
	struct catalog *known, *none = catalog_of(NULL, 0);
	char text[SESSION_TEXT_SIZE];
	struct session read;

	signers_make(signers, 2);
	known = catalog_of(signers, 1);
	session_make(&made, &signers[1], text);
	assert_false(session_read(text, strlen(text), known, &read));
	assert_false(session_read(text, strlen(text), none, &read));
	/* Not even if it claims to be of one that is. */
	memcpy(signers[1].public_key, signers[0].public_key, SIGNER_PUBLIC_BYTES);
	session_make(&made, &signers[1], text);
	assert_false(session_read(text, strlen(text), known, &read));
	catalog_release(known);
	catalog_release(none);
}

TEST(a_session_that_was_changed_in_any_character_is_refused)
{
	struct signer signer;
	struct catalog *catalog;
	char text[SESSION_TEXT_SIZE], changed[SESSION_TEXT_SIZE + 1];
	struct session read;

	signers_make(&signer, 1);
	catalog = catalog_of(&signer, 1);
	session_make(&made, &signer, text);
	for (size_t i = 0; i < SESSION_TEXT_SIZE - 1; i++)
		for (const char *other = "A_-z9"; *other; other++) {
			memcpy(changed, text, sizeof(text));
			changed[i] = *other;
			if (text[i] != *other && session_read(changed, strlen(changed), catalog, &read))
				fail_msg("accepted with %c as character %zu", *other, i);
		}
	for (size_t len = 0; len < SESSION_TEXT_SIZE - 1; len++)
		assert_false(session_read(text, len, catalog, &read));
	memcpy(changed, text, sizeof(text));
	memcpy(changed + SESSION_TEXT_SIZE - 1, "A", 2);
	assert_false(session_read(changed, strlen(changed), catalog, &read));
	catalog_release(catalog);
}

TEST(two_sessions_of_the_same_moment_differ)
{
	struct signer signer;
	char one[SESSION_TEXT_SIZE], other[SESSION_TEXT_SIZE];

	signers_make(&signer, 1);
	session_make(&made, &signer, one);
	session_make(&made, &signer, other);
	assert_string_not_equal(one, other);
}

TEST(keys_are_found_by_id_in_whatever_order_they_were_loaded)
{
	static const int64_t ids[] = {9, 2, INT64_C(9007199254740991), 5, 1};
	struct catalog_parts parts = {.keys = 5};
	struct catalog *catalog;

	parts.key = mem_zalloc(5, sizeof(*parts.key));
	for (int i = 0; i < 5; i++) {
		parts.key[i].id = ids[i];
		parts.key[i].hash[0] = (uint8_t)(i * 37);
	}
	catalog = catalog_new(&parts);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(catalog_key_by_id(catalog, ids[i])->id, ids[i]);
		assert_int_equal(catalog_key_by_id(catalog, ids[i])->hash[0], i * 37);
	}
	assert_null(catalog_key_by_id(catalog, 3));
	assert_null(catalog_key_by_id(catalog, 0));
	assert_null(catalog_key_by_id(NULL, 1));
	catalog_release(catalog);
}
