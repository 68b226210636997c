/* Which unknown models are said in the log: each once, and never more than there is room for. */
#include <stdio.h>

#include "lib/test.h"
#include "service/request/unknown.h"

TEST(a_model_is_new_once_in_each_tenant_however_it_is_written)
{
	assert_true(unknown_model_first("t", "gpt-7"));
	assert_false(unknown_model_first("t", "gpt-7"));
	assert_false(unknown_model_first("t", "GPT-7"));
	assert_true(unknown_model_first("t", "gpt-7-mini"));
	assert_true(unknown_model_first("u", "gpt-7"));
	assert_false(unknown_model_first("t", "gpt-7"));
}

TEST(a_flood_of_names_is_said_up_to_a_bound)
{
	int said = 0;

	for (int i = 0; i < 20000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "flood-%d", i);
		said += unknown_model_first("t", name);
	}
	assert_in_range(said, 900, 1024);
}
