/* Text on a terminal: its width, and where it is cut. */

#include <locale.h>
#include <string.h>

#include "cli/text/plain.h"
#include "cli/text/screen.h"
#include "lib/test.h"

static int in_utf8(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

TEST(a_character_takes_its_columns)
{
	assert_int_equal(screen_width("alice"), 5);
	assert_int_equal(screen_width("\xe6\x95\xb0\xe6\x8d\xae"), 4); /* two wide ones */
	assert_int_equal(screen_width("e\xcc\x81"), 1); /* a combining accent has no width */
	assert_int_equal(screen_width(OWN_ESCAPE "[31mred" OWN_ESCAPE "[0m"), 3);
	assert_int_equal(screen_width("\xfe!"), 2); /* not UTF-8: a placeholder is shown */
	assert_int_equal(screen_width(""), 0);
}

TEST(a_line_is_cut_between_characters)
{
	static const char wide[] = "a\xe6\x95\xb0"
				   "b";

	assert_int_equal(screen_cut("alice", 5, 3), 3);
	assert_int_equal(screen_cut("alice", 5, 9), 5);
	assert_int_equal(screen_cut(wide, strlen(wide), 2), 1);
	assert_int_equal(screen_cut(wide, strlen(wide), 3), 4);
	assert_int_equal(screen_cut(OWN_ESCAPE "[31mred", 8, 1), 6);
	assert_int_equal(screen_cut(OWN_ESCAPE "[31", 4, 1), 4);
}

TEST_GROUP(in_utf8, NULL);
