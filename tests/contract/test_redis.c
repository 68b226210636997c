/* The cases on the Lua, in a Redis of the test's own. */
#include "cases.h"
#include "redis.h"

int main(void)
{
	return cases_run(&backend_redis);
}
