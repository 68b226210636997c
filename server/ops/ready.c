/* {"ready":false,"checks":{"redis":{"ready":false,"reason":"..."},...}} */
#include "ops/ready.h"

#include <string.h>

#include "base/utf8.h"

static void put_json(struct buf *out, const char *text)
{
	bool valid = utf8_valid(text, strlen(text));

	buf_put_u8(out, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			buf_putf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_putf(out, "\\u%04x", c);
		else
			buf_put_u8(out, c < 0x80 || valid ? c : '?');
	}
	buf_put_u8(out, '"');
}

bool ready_print(const struct http_probe *probes, struct buf *body)
{
	struct buf checks = {0};
	struct buf reason = {0};
	bool all = true;

	for (const struct http_probe *probe = probes; probe && probe->name; probe++) {
		bool ready;

		buf_reset(&reason);
		ready = probe->probe(&reason, probe->ctx);
		all = all && ready;
		buf_put_str(&checks, checks.len ? "," : "");
		put_json(&checks, probe->name);
		buf_putf(&checks, ":{\"ready\":%s", ready ? "true" : "false");
		if (reason.len) {
			buf_put_str(&checks, ",\"reason\":");
			put_json(&checks, buf_str(&reason));
		}
		buf_put_u8(&checks, '}');
	}
	buf_putf(body, "{\"ready\":%s,\"checks\":{%s}}\n", all ? "true" : "false", buf_str(&checks));
	buf_release(&reason);
	buf_release(&checks);
	return all;
}
