/* Characters that a terminal would obey are written out; everything else stays as it is. */
#include <string.h>

#include "cli/text/plain.h"
#include "lib/test.h"

TEST(a_text_within_a_line_has_no_control_characters)
{
	static const struct {
		const char *text, *plain;
	} rows[] = {
		{"", ""},
		{"alice \xc3\xa4 \xe2\x82\xac \xf0\x9f\x99\x82 \\ \"",
			"alice \xc3\xa4 \xe2\x82\xac \xf0\x9f\x99\x82 \\ \""},
		{"\x1b[2J\x07", "\\u001b[2J\\u0007"},
		{"a\nb\tc\rd\x7f", "a\\u000ab\\u0009c\\u000dd\\u007f"},
		{"\xc2\x9b"
		 "31m\xc2\xa0",
			"\\u009b31m\xc2\xa0"},
		{"\xe2\x80\xae"
		 "x\xe2\x81\xa9\xe2\x80\x8f\xe2\x80\xa9",
			"\\u202ex\\u2069\xe2\x80\x8f\xe2\x80\xa9"},
		{OWN_ESCAPE "[1m", "\\ufffd[1m"},
		{"cut \xe2\x80", "cut \xe2\x80"},
		{"cut \xc2", "cut \xc2"},
	};
	struct buf out = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_plain(&out, rows[i].text);
		assert_string_equal(buf_str(&out), rows[i].plain);
		buf_release(&out);
	}
}

TEST(lines_keep_their_ends_and_our_own_sequences_alone)
{
	static const char text[] = OWN_ESCAPE "[31mdenied" OWN_ESCAPE "[0m\t\x1b[31m\xe2\x80\xae\n";
	struct buf out = {0};

	put_plain_lines(&out, text, strlen(text), true);
	assert_string_equal(buf_str(&out), "\033[31mdenied\033[0m\t\\u001b[31m\\u202e\n");
	buf_release(&out);
	put_plain_lines(&out, text, strlen(text), false);
	assert_string_equal(buf_str(&out), "\033[31mdenied\033[0m\t\\u001b[31m\xe2\x80\xae\n");
	buf_release(&out);
}
