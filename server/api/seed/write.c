/* Writes JSON objects member by member. */
#include "api/seed/write.h"

#include <inttypes.h>
#include <string.h>

#include "api/json/json_message.h"
#include "base/text/json_token.h"
#include "base/units.h"
#include "domain/price/price.h"
#include "domain/time/date.h"

void enum_word(const ProtobufCEnumDescriptor *type, int value, char out[WORD_MAX])
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
	/* The value 0 of every type of the API is called so behind the prefix. */
	size_t prefix = strlen(type->values[0].name) - strlen("UNSPECIFIED"), n = 0;

	for (const char *p = known ? known->name + prefix : ""; *p && n < WORD_MAX - 1; p++)
		out[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
	out[n] = '\0';
}

static void put_member(struct buf *out, const char *name)
{
	char last = out->len ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[')
		buf_put_str(out, ",");
	if (!name)
		return;
	json_write_text(name, out);
	buf_put_str(out, ":");
}

void seed_put_open(struct buf *out, const char *name, char bracket)
{
	put_member(out, name);
	buf_put(out, &bracket, 1);
}

void seed_put_close(struct buf *out, char bracket)
{
	buf_put(out, &bracket, 1);
}

void seed_put_string(struct buf *out, const char *name, const char *value)
{
	put_member(out, name);
	json_write_text(value, out);
}

void seed_put_word(struct buf *out, const char *name, const ProtobufCEnumDescriptor *type, int value)
{
	char word[WORD_MAX];

	enum_word(type, value, word);
	seed_put_string(out, name, word);
}

void seed_put_number(struct buf *out, const char *name, int64_t value)
{
	put_member(out, name);
	buf_put_dec(out, value);
}

void seed_put_flag(struct buf *out, const char *name, bool value)
{
	put_member(out, name);
	buf_put_str(out, value ? "true" : "false");
}

void seed_put_usd(struct buf *out, const char *name, int64_t nano)
{
	char text[40];

	money_format(nano, text);
	put_member(out, name);
	buf_put_str(out, text);
}

void seed_put_time(struct buf *out, const char *name, int64_t us)
{
	int64_t seconds = (us + SECOND_US - 1) / SECOND_US, in_day = seconds % DAY_S;
	char day[DATE_TEXT];

	put_member(out, name);
	if (us <= 0)
		buf_put_str(out, "null");
	else
		buf_putf(out, "\"%sT%02d:%02d:%02dZ\"", date_format(seconds / DAY_S, day), (int)(in_day / 3600),
			(int)(in_day / 60 % 60), (int)(in_day % 60));
}
