/* Runs the cases on the Lua functions, in a Redis of the test's own: as they are, and with every check on the general path. */
#include "cases.h"
#include "redis.h"

int main(void)
{
	int failed = cases_run(&backend_redis);

	return failed + cases_run(&backend_redis_general);
}
