/* The headers of an e-mail. Nothing that comes from users or admins can begin another header. */
#ifndef BURSAR_DELIVER_MAIL_H
#define BURSAR_DELIVER_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A sender: "bursar@example.org", or "Bursar <bursar@example.org>". Points into the text. */
struct mail_from {
	const char *name, *address; /* not terminated; without a name its length is 0 */
	size_t name_len, address_len;
};
bool mail_from_read(const char *text, struct mail_from *out);

/* Appends `Name: text` with the text as it is if it is short ASCII, and in encoded words (RFC 2047) otherwise. */
void mail_put_text(const char *name, const char *text, size_t len, struct buf *out);
void mail_put_from(const struct mail_from *from, struct buf *out);
/* "Date: Mon, 30 Nov 2026 07:38:00 +0000", whatever the locale. */
void mail_put_date(int64_t at_us, struct buf *out);
/* "Message-ID: <id@host of the sender>": the same for each attempt. */
void mail_put_id(const char *message_id, const struct mail_from *from, struct buf *out);

#endif
