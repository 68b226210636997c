/* Runs the cases on the Lua functions, in a Redis of the test's own. */
#include "cases.h"
#include "redis.h"

int main(void)
{
	return cases_run(&backend_redis);
}
