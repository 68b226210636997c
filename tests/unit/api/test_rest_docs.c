/* docs/http-paths.md is what the table of paths says. */
#include <string.h>

#include "api/rest/rest.h"
#include "lib/source.h"
#include "lib/test.h"

/* After a change of the table, write the page again: bursard --print-paths > docs/http-paths.md */
TEST(the_page_in_docs_is_that_of_the_table)
{
	struct buf expected = {0}, page = {0};

	source_read("docs/http-paths.md", &page);
	rest_print_docs(&expected);
	if (strcmp(buf_str(&page), buf_str(&expected)) != 0)
		print_error("run: bursard --print-paths > docs/http-paths.md\n");
	assert_string_equal(buf_str(&page), buf_str(&expected));
	buf_release(&expected);
	buf_release(&page);
}
