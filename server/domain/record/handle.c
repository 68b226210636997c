/* The reservation handle: a few packed fields and a checksum, as base64url. Not a secret: keys protect access. */
#include "domain/record/entry.h"

#include <string.h>

#include "base/crypto/hash.h"
#include "base/utf8.h"

/* An account id equal to the tenant or the user is not repeated. */
enum {
	HANDLE_VERSION = 1,
	ID_IS_USER = 0x80,
	ID_IS_TENANT = 0x40,
	KIND_MASK = 0x0f,
	TEXT_MAX = 2048,
	PACKED_ROOM = 512
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void id_put(struct buf *out, const char *id)
{
	size_t len = strlen(id);

	buf_put_u8(out, (uint8_t)len);
	buf_put(out, id, len);
}

static void account_put(const struct handle *handle, const struct entry_account *account, struct buf *out)
{
	if (strcmp(account->id, handle->user) == 0) {
		buf_put_u8(out, (uint8_t)(account->kind | ID_IS_USER));
	} else if (strcmp(account->id, handle->tenant) == 0) {
		buf_put_u8(out, (uint8_t)(account->kind | ID_IS_TENANT));
	} else {
		buf_put_u8(out, (uint8_t)account->kind);
		id_put(out, account->id);
	}
}

static const char *base64_format(const struct buf *in, struct arena *arena)
{
	char *out = arena_alloc(arena, (in->len + 2) / 3 * 4 + 1);
	size_t n = 0;

	for (size_t i = 0; i < in->len; i += 3) {
		size_t left = in->len - i;
		uint32_t word = (uint32_t)(uint8_t)in->data[i] << 16;

		if (left > 1)
			word |= (uint32_t)(uint8_t)in->data[i + 1] << 8;
		if (left > 2)
			word |= (uint8_t)in->data[i + 2];
		out[n++] = alphabet[word >> 18];
		out[n++] = alphabet[word >> 12 & 63];
		if (left > 1)
			out[n++] = alphabet[word >> 6 & 63];
		if (left > 2)
			out[n++] = alphabet[word & 63];
	}
	out[n] = '\0';
	return out;
}

const char *handle_format(const struct handle *handle, struct arena *arena)
{
	char room[PACKED_ROOM];
	struct buf packed = buf_on(room, sizeof(room));
	const char *text;

	buf_put_u8(&packed, HANDLE_VERSION);
	buf_put_int(&packed, handle->started_at_us, 7);
	id_put(&packed, handle->tenant);
	id_put(&packed, handle->user);
	id_put(&packed, handle->request_id);
	buf_put_u8(&packed, (uint8_t)handle->accounts);
	for (int i = 0; i < handle->accounts; i++)
		account_put(handle, &handle->account[i], &packed);
	id_put(&packed, handle->model ? handle->model : "");
	/* Only if there is one: a release without modes can read handles that have none. */
	if (handle->mode && handle->mode[0])
		id_put(&packed, handle->mode);
	buf_put_u32(&packed, (uint32_t)hash64(packed.data, packed.len));
	text = base64_format(&packed, arena);
	buf_release(&packed);
	return text;
}

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Accepts only the text that base64_format writes for some bytes: no padding, no stray low bits. */
static bool base64_parse(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
	uint32_t bits = 0;
	int held = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int digit = digit_of(text[i]);

		if (digit < 0)
			return false;
		bits = (bits << 6 | (uint32_t)digit) & 0xffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[n++] = (uint8_t)(bits >> held);
		}
	}
	*out_len = n;
	return held < 6 && !(bits & ((1u << held) - 1));
}

static const char *id_cut(struct cut *cut, struct arena *arena)
{
	size_t len = cut_u8(cut);
	const uint8_t *id = cut_bytes(cut, len);

	if (cut->bad || !id_check((const char *)id, len, "id", NULL)) {
		cut->bad = true;
		return "";
	}
	return arena_strndup(arena, (const char *)id, len);
}

/* Like id_cut, but accepts an empty one. */
static const char *model_cut(struct cut *cut, struct arena *arena)
{
	if (!cut->left || *cut->p)
		return id_cut(cut, arena);
	cut_u8(cut);
	return "";
}

static void account_cut(struct cut *cut, struct arena *arena, const struct handle *handle, struct entry_account *out)
{
	uint8_t kind = cut_u8(cut);

	out->kind = (enum account_kind)(kind & KIND_MASK);
	if (!account_kind_name(out->kind))
		cut->bad = true;
	switch (kind & ~KIND_MASK) {
	case ID_IS_USER:
		out->id = handle->user;
		break;
	case ID_IS_TENANT:
		out->id = handle->tenant;
		break;
	case 0:
		out->id = id_cut(cut, arena);
		break;
	default:
		cut->bad = true;
	}
}

static bool handle_unpack(struct cut *cut, struct arena *arena, struct handle *out)
{
	uint32_t kinds = 0;

	if (cut_u8(cut) != HANDLE_VERSION)
		return false;
	out->started_at_us = cut_int(cut, 7);
	out->tenant = id_cut(cut, arena);
	out->user = id_cut(cut, arena);
	out->request_id = id_cut(cut, arena);
	out->accounts = cut_u8(cut);
	if (cut->bad || out->started_at_us < 0 || out->accounts > ACCOUNTS_MAX)
		return false;
	for (int i = 0; i < out->accounts; i++) {
		account_cut(cut, arena, out, &out->account[i]);
		if (cut->bad || kinds & 1u << out->account[i].kind)
			return false;
		kinds |= 1u << out->account[i].kind;
	}
	out->model = model_cut(cut, arena);
	out->mode = !cut->bad && cut->left ? id_cut(cut, arena) : "";
	return !cut->bad && cut->left == 0;
}

bool handle_parse(
	const char *text, size_t len, const char *field, struct arena *arena, struct handle *out, struct err *err)
{
	uint8_t bytes[TEXT_MAX];
	size_t n = 0;
	struct handle handle = {0};
	struct cut cut;
	struct cut sum;

	if (len > TEXT_MAX || !base64_parse(text, len, bytes, &n) || n < 4)
		goto bad;
	sum = cut_of(bytes + n - 4, 4);
	if (cut_u32(&sum) != (uint32_t)hash64(bytes, n - 4))
		goto bad;
	cut = cut_of(bytes, n - 4);
	if (!handle_unpack(&cut, arena, &handle))
		goto bad;
	*out = handle;
	return true;
bad:
	return err_invalid(err, field, "is not a valid reservation handle; pass what Check returned, unchanged");
}
