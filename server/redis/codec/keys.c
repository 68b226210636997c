/* The names of keys in Redis. */
#include "redis/codec/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/utf8.h"

static void put_tag(struct buf *out, int partition)
{
	char tag[4 + DEC_MAX + 2] = "b:{p";
	size_t len = 4 + dec_put(tag + 4, partition);

	memcpy(tag + len, "}:", 2);
	buf_put(out, tag, len + 2);
}

static void put_names(struct buf *out, const char *tenant, const char *id)
{
	key_escape(out, tenant, strlen(tenant));
	buf_put(out, "/", 1);
	key_escape(out, id, strlen(id));
}

void key_partition(struct buf *out, int partition, enum partition_key key)
{
	static const char names[][4] = {[KEY_GEN] = "gen", [KEY_DUE] = "due", [KEY_OUT] = "out", [KEY_POL] = "pol"};

	put_tag(out, partition);
	buf_put(out, names[key], 3);
}

static void put_account(
	struct buf *out, const char prefix[2], enum account_kind kind, const char *tenant, const char *id)
{
	char letter[2] = {account_kind_letter(kind), ':'};

	put_tag(out, partition_of(kind, tenant, id));
	buf_put(out, prefix, 2);
	buf_put(out, letter, 2);
	put_names(out, tenant, id);
}

void key_account(struct buf *out, enum account_kind kind, const char *tenant, const char *id)
{
	put_account(out, "a:", kind, tenant, id);
}

/* The reverse of key_escape up to `end` or the end of the text; returns where it stopped, NULL for what no key has. */
static const char *name_parse(const char *text, const char *text_end, char end, char out[ID_MAX + 1])
{
	size_t len = 0;

	for (; text < text_end && *text != end; text++) {
		char c = *text;

		if (c == '%') {
			char hex[3] = {
				text_end - text > 2 ? text[1] : '\0', text_end - text > 2 ? text[2] : '\0', '\0'};
			char *stopped;

			c = (char)strtoul(hex, &stopped, 16);
			if (stopped != hex + 2)
				return NULL;
			text += 2;
		}
		if (len == ID_MAX)
			return NULL;
		out[len++] = c;
	}
	out[len] = '\0';
	return len ? text : NULL;
}

bool key_account_parse(
	const char *key, size_t len, enum account_kind *kind, char tenant[ID_MAX + 1], char id[ID_MAX + 1])
{
	const char *end = key + len, *at = memchr(key, '}', len);

	if (len < 4 || memcmp(key, "b:{p", 4) != 0 || !at || end - at < 6 || memcmp(at, "}:a:", 4) != 0 || at[5] != ':')
		return false;
	for (*kind = ACCOUNT_USER; account_kind_letter(*kind) != at[4]; (*kind)++)
		if (*kind == ACCOUNT_TENANT)
			return false;
	at = name_parse(at + 6, end, '/', tenant);
	return at && at < end && name_parse(at + 1, end, '/', id) == end;
}

void key_floor(struct buf *out, enum account_kind kind, const char *tenant, const char *id)
{
	put_account(out, "f:", kind, tenant, id);
}

void key_marker(struct buf *out, const char *tenant, const char *user, const char *request_id)
{
	put_tag(out, partition_of(ACCOUNT_USER, tenant, user));
	buf_put(out, "q:", 2);
	put_names(out, tenant, user);
	buf_put(out, "/", 1);
	key_escape(out, request_id, strlen(request_id));
}

void key_markers(struct buf *out, int partition, const char *tenant, const char *user)
{
	put_tag(out, partition);
	buf_put(out, "q:", 2);
	key_escape(out, tenant, strlen(tenant));
	buf_put(out, "/", 1);
	if (!user[0])
		return;
	key_escape(out, user, strlen(user));
	buf_put(out, "/", 1);
}

void key_reset_marker(
	struct buf *out, enum account_kind kind, const char *tenant, const char *id, const char *request_id)
{
	put_account(out, "r:", kind, tenant, id);
	buf_put(out, "/", 1);
	key_escape(out, request_id, strlen(request_id));
}

void accounts_digest_add(struct accounts_digest *digest, enum account_kind kind, const char *tenant, const char *id)
{
	buf_put_u8(&digest->text, (uint8_t)kind);
	buf_put(&digest->text, tenant, strlen(tenant) + 1);
	buf_put(&digest->text, id, strlen(id) + 1);
}

void accounts_digest_end(struct accounts_digest *digest, uint8_t out[8])
{
	uint64_t hash = hash64(digest->text.data, digest->text.len);

	hash = le64(hash);
	memcpy(out, &hash, sizeof(hash));
	buf_reset(&digest->text);
}

void key_pool(struct buf *out, const char *tenant, const char *pool, enum pool_key key)
{
	static const char *const names[POOL_KEYS] = {
		"cfg", "st", "req", "usr", "wait", "ready", "since", "age", "lease", "wk", "own", "gc"};

	buf_put_str(out, "b:{pool:");
	put_names(out, tenant, pool);
	buf_put_str(out, "}:");
	buf_put_str(out, names[key]);
}
