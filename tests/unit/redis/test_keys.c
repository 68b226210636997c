/* Redis keys, and addresses of Redis. */
#include <string.h>

#include "lib/test.h"
#include "redis/codec/keys.h"
#include "redis/connect/url.h"

TEST(a_key_names_its_partition_and_account)
{
	struct buf key = {0};
	struct buf wanted = {0};

	key_account(&key, ACCOUNT_USER, "acme", "ann");
	buf_putf(&wanted, "b:{p%d}:a:u:acme/ann", partition_of(ACCOUNT_USER, "acme", "ann"));
	assert_string_equal(buf_str(&key), buf_str(&wanted));
	buf_release(&key);
	buf_release(&wanted);
}

TEST(a_key_of_an_account_is_read_back_and_no_other_key_is)
{
	static const char *const ids[] = {"a", "a/b", "a%2Fb", "%", "{", "}:a:u:", "a:b", " ", "\xc3\xa4"};
	static const char *const others[] = {"", "b:{p1}:due", "b:{p1}:q:acme/ann/r1", "b:{p1}:a:x:acme/ann",
		"b:{p1}:a:u:acme", "b:{p1}:a:u:acme/", "b:{p1}:a:u:/ann", "b:{p1}:a:u:acme/an%4",
		"b:{p1}:a:u:acme/ann/r", "b:{p1}:f:u:acme/ann", "b:{p1", "x"};
	enum { COUNT = sizeof(ids) / sizeof(ids[0]) };
	enum account_kind kind;
	char tenant[ID_MAX + 1], id[ID_MAX + 1];

	for (int i = 0; i < COUNT * COUNT; i++) {
		enum account_kind wanted = (enum account_kind)(ACCOUNT_USER + i % 5);
		struct buf key = {0};

		key_account(&key, wanted, ids[i / COUNT], ids[i % COUNT]);
		assert_true(key_account_parse(key.data, key.len, &kind, tenant, id));
		assert_int_equal(kind, wanted);
		assert_string_equal(tenant, ids[i / COUNT]);
		assert_string_equal(id, ids[i % COUNT]);
		buf_release(&key);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (key_account_parse(others[i], strlen(others[i]), &kind, tenant, id))
			fail_msg("'%s' was read as an account's key", others[i]);
}

TEST(a_marker_is_in_the_partition_of_its_user)
{
	struct buf key = {0};
	struct buf wanted = {0};

	key_marker(&key, "acme", "ann", "r1");
	buf_putf(&wanted, "b:{p%d}:q:acme/ann/r1", partition_of(ACCOUNT_USER, "acme", "ann"));
	assert_string_equal(buf_str(&key), buf_str(&wanted));
	buf_release(&key);
	buf_release(&wanted);
}

TEST(partitions_are_stored_and_never_change)
{
	assert_int_equal(partition_of(ACCOUNT_USER, "default", "ann"), 84);
	assert_int_equal(partition_of(ACCOUNT_TEAM, "default", "ann"), 154);
}

/* Separators, braces and escapes in ids: no two names share a key. */
TEST(edge_ids_do_not_share_a_key)
{
	static const char *const ids[] = {
		"a", "a/b", "a%2Fb", "a%", "%", "{", "}", "{p1}", "a:b", "a b", "b", "/", "//", "\xc3\xa4", "a/", "/a"};
	enum { COUNT = sizeof(ids) / sizeof(ids[0]) };
	static char keys[COUNT * COUNT][512];
	int count = 0;

	for (int i = 0; i < COUNT; i++)
		for (int j = 0; j < COUNT; j++) {
			struct buf key = {0};

			key_marker(&key, "t", ids[i], ids[j]);
			assert_true(key.len < sizeof(keys[0]));
			/* One hash tag, at the front. */
			assert_null(strchr(strchr(buf_str(&key), '}') + 1, '{'));
			strcpy(keys[count++], strchr(buf_str(&key), '}'));
			buf_release(&key);
		}
	for (int i = 0; i < count; i++)
		for (int j = i + 1; j < count; j++)
			assert_string_not_equal(keys[i], keys[j]);
}

TEST(the_longest_ids_have_keys)
{
	char id[ID_MAX + 1];
	struct buf key = {0};

	memset(id, '/', ID_MAX);
	id[ID_MAX] = '\0';
	key_marker(&key, id, id, id);
	assert_true(key.len > 9 * (size_t)ID_MAX);
	assert_in_range(partition_of(ACCOUNT_USER, id, id), 0, PARTITIONS - 1);
	buf_release(&key);
}

TEST(accounts_in_another_order_are_others)
{
	struct accounts_digest digest = {0};
	uint8_t a[8];
	uint8_t b[8];

	accounts_digest_add(&digest, ACCOUNT_USER, "t", "a");
	accounts_digest_add(&digest, ACCOUNT_TEAM, "t", "b");
	accounts_digest_end(&digest, a);
	accounts_digest_add(&digest, ACCOUNT_TEAM, "t", "b");
	accounts_digest_add(&digest, ACCOUNT_USER, "t", "a");
	accounts_digest_end(&digest, b);
	assert_memory_not_equal(a, b, 8);
	buf_release(&digest.text);
}

TEST(addresses_are_read)
{
	struct redis_url url;

	assert_true(redis_url_parse("redis://127.0.0.1:6380/3", &url, NULL));
	assert_string_equal(url.host, "127.0.0.1");
	assert_int_equal(url.port, 6380);
	assert_int_equal(url.db, 3);
	assert_true(redis_url_parse("redis://:p%40ss@[::1]", &url, NULL));
	assert_string_equal(url.host, "::1");
	assert_string_equal(url.password, "p@ss");
	assert_int_equal(url.port, 6379);
	assert_true(redis_url_parse("redis://ann:secret@redis.example:1/", &url, NULL));
	assert_string_equal(url.user, "ann");
	assert_true(redis_url_parse("unix:///run/redis.sock?db=2", &url, NULL));
	assert_string_equal(url.path, "/run/redis.sock");
	assert_int_equal(url.db, 2);
}

TEST(an_invalid_address_is_refused_without_its_password)
{
	static const char *const wrong[] = {"", "http://x", "redis://h:0", "redis://h:65536", "redis://h/x",
		"redis://secret@h", "unix://relative", "unix:///x?db=", "redis://h:1:2", "redis://:secret%4@h",
		"redis://[::1"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct redis_url url;
		struct err err = {0};

		assert_false(redis_url_parse(wrong[i], &url, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_null(strstr(err.text, "secret"));
	}
}

TEST(tls_is_refused_with_a_sentence_where_it_is_missing)
{
	struct redis_url url;
	struct err err = {0};

#ifdef BURSAR_REDIS_TLS
	assert_true(redis_url_parse("rediss://h", &url, &err));
	assert_true(url.tls);
#else
	assert_false(redis_url_parse("rediss://h", &url, &err));
	assert_non_null(strstr(err.text, "hiredis_ssl"));
#endif
}
