/*
 * The lease handle: packed fields and a checksum in base64url (service/pool/pool.h). It is not a secret; API keys
 * protect the calls.
 */
#include <string.h>

#include <sodium.h>

#include "base/crypto/hash.h"
#include "base/utf8.h"
#include "service/pool/pool.h"

enum { VERSION = 1, BYTES_MAX = 1024, VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

const char *lease_format(const struct lease_handle *lease, struct arena *arena)
{
	struct buf bytes = {0};
	size_t size;
	char *text;

	buf_put_u8(&bytes, VERSION);
	buf_put_str16(&bytes, lease->tenant, strlen(lease->tenant));
	buf_put_str16(&bytes, lease->pool, strlen(lease->pool));
	buf_put_str16(&bytes, lease->user, strlen(lease->user));
	buf_put_str16(&bytes, lease->request_id, strlen(lease->request_id));
	buf_put_int(&bytes, lease->started_at_us, 7);
	buf_put_u32(&bytes, lease->fence.epoch);
	buf_put_u32(&bytes, lease->fence.fence);
	buf_put_u32(&bytes, (uint32_t)hash64(bytes.data, bytes.len));
	size = sodium_base64_encoded_len(bytes.len, VARIANT);
	text = arena_alloc(arena, size);
	sodium_bin2base64(text, size, (const unsigned char *)bytes.data, bytes.len, VARIANT);
	buf_release(&bytes);
	return text;
}

static const char *cut_id(struct cut *cut, struct arena *arena)
{
	size_t len;
	const char *text = cut_str16(cut, &len);
	struct err err;

	if (!text || !id_check(text, len, "lease", &err)) {
		cut->bad = true;
		return "";
	}
	return arena_strndup(arena, text, len);
}

static bool read_fields(struct cut *cut, struct arena *arena, struct lease_handle *out)
{
	if (cut_u8(cut) != VERSION)
		return false;
	out->tenant = cut_id(cut, arena);
	out->pool = cut_id(cut, arena);
	out->user = cut_id(cut, arena);
	out->request_id = cut_id(cut, arena);
	out->started_at_us = cut_int(cut, 7);
	out->fence.epoch = cut_u32(cut);
	out->fence.fence = cut_u32(cut);
	return !cut->bad && cut->left == 4 && pool_name_check(out->pool, "lease", NULL);
}

bool lease_parse(const char *text, const char *field, struct arena *arena, struct lease_handle *out, struct err *err)
{
	unsigned char bytes[BYTES_MAX];
	size_t len = 0;
	struct cut cut;

	if (sodium_base642bin(bytes, sizeof(bytes), text, strlen(text), NULL, &len, NULL, VARIANT) == 0) {
		cut = cut_of(bytes, len);
		if (read_fields(&cut, arena, out) && cut_u32(&cut) == (uint32_t)hash64(bytes, len - 4))
			return true;
	}
	return err_invalid(err, field, "is not a valid lease: pass what Acquire returned");
}
