/* How the messages that a process sends at a time are shared. */
#include "domain/alert/lanes.h"
#include "lib/test.h"

static struct alert_channel of(const char *tenant, bool prompt)
{
	return (struct alert_channel){.tenant = tenant, .prompt = prompt};
}

static int fill(struct alert_lanes *lanes, const struct alert_channel *channel)
{
	int count = 0;

	for (; alert_lanes_have_room(lanes, channel); count++)
		alert_lanes_use(lanes, channel);
	return count;
}

TEST(a_tenant_has_half_of_the_lanes)
{
	struct alert_channel red = of("red", true), blue = of("blue", true), green = of("green", true);
	struct alert_lanes lanes = {0};
	const char *full[ALERT_LANES / ALERT_LANES_TENANT];

	assert_int_equal(alert_lanes_full(&lanes, full), 0);
	assert_int_equal(fill(&lanes, &red), 8);
	assert_int_equal(alert_lanes_full(&lanes, full), 1);
	assert_string_equal(full[0], "red");
	assert_int_equal(fill(&lanes, &blue), 8);
	assert_int_equal(alert_lanes_full(&lanes, full), 2);
	assert_string_equal(full[1], "blue");
	assert_false(alert_lanes_have_room(&lanes, &green));
}

TEST(all_that_may_not_answer_have_a_quarter)
{
	static const char *const tenants[] = {"a", "b", "c", "d", "e"};
	struct alert_channel red = of("red", false), prompt = of("red", true);
	struct alert_lanes lanes = {0};

	for (int i = 0; i < 5; i++) {
		struct alert_channel slow = of(tenants[i], false);

		assert_true(alert_lanes_have_room(&lanes, &slow) == (i < 4));
		if (i < 4)
			alert_lanes_use(&lanes, &slow);
	}
	assert_false(alert_lanes_have_room(&lanes, &red));
	assert_int_equal(fill(&lanes, &prompt), 8);
}
