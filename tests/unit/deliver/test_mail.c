/* The headers of e-mails. */
#include <string.h>

#include "deliver/mail.h"
#include "lib/test.h"

static void subject(const char *text, const char *line)
{
	struct buf out = {0};

	mail_put_text("Subject", text, strlen(text), &out);
	assert_string_equal(buf_str(&out), line);
	buf_release(&out);
}

TEST(short_ascii_stays_as_it_is)
{
	subject("Team red: 80% of month", "Subject: Team red: 80% of month");
}

TEST(other_texts_are_encoded_words)
{
	subject("Größe 1", "Subject: =?utf-8?Q?Gr=C3=B6=C3=9Fe_1?=");
	subject("a =?utf-8?Q?b?=", "Subject: =?utf-8?Q?a_=3D=3Futf=2D8=3FQ=3Fb=3F=3D?=");
	subject("a\r\nBcc: x@y.org", "Subject: =?utf-8?Q?a=0D=0ABcc=3A_x=40y=2Eorg?=");
}

TEST(long_texts_are_folded_between_characters)
{
	struct buf out = {0};
	char text[240] = "";

	for (int i = 0; i < 60; i++)
		strcat(text, "ж");
	mail_put_text("Subject", text, strlen(text), &out);
	for (const char *line = buf_str(&out); line;) {
		const char *end = strstr(line, "\r\n");
		size_t len = end ? (size_t)(end - line) : strlen(line);

		assert_true(len <= 76);
		assert_memory_equal(line + len - 2, "?=", 2);
		/* A whole number of characters: =D0=B6 takes 6. */
		assert_int_equal((len - (size_t)(strstr(line, "?Q?") + 3 - line) - 2) % 6, 0);
		line = end ? end + 2 : NULL;
	}
	buf_release(&out);
}

static void from(const char *text, const char *line)
{
	struct mail_from read;
	struct buf out = {0};

	assert_true(mail_from_read(text, &read));
	mail_put_from(&read, &out);
	assert_string_equal(buf_str(&out), line);
	buf_release(&out);
}

TEST(a_sender_has_a_name_or_none)
{
	struct mail_from read;

	from("bursar@example.org", "From: bursar@example.org");
	from("Bursar <bursar@example.org>", "From: =?utf-8?Q?Bursar?= <bursar@example.org>");
	from("\"Bursar, Inc.\" <bursar@example.org>", "From: =?utf-8?Q?Bursar=2C_Inc=2E?= <bursar@example.org>");
	from("<bursar@example.org>", "From: bursar@example.org");
	assert_false(mail_from_read("", &read));
	assert_false(mail_from_read("Bursar", &read));
	assert_false(mail_from_read("Bursar <bursar@example.org> x", &read));
	assert_false(mail_from_read("Bursar <bursar>", &read));
}

TEST(date_and_id_are_those_of_the_standard)
{
	struct mail_from read;
	struct buf out = {0};

	assert_true(mail_from_read("Bursar <bursar@example.org>", &read));
	mail_put_date(INT64_C(1764488280123456), &out);
	assert_string_equal(buf_str(&out), "Date: Sun, 30 Nov 2025 07:38:00 +0000");
	buf_reset(&out);
	mail_put_id("msg_a1>\r\nX: y", &read, &out);
	assert_string_equal(buf_str(&out), "Message-ID: <msg_a1Xy@example.org>");
	buf_release(&out);
}
