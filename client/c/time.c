/* The monotonic clock of gRPC. Declared in internal.h. */
#include "c/internal.h"

#include <grpc/support/time.h>

int64_t bursar__now_us(void)
{
	gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);

	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

gpr_timespec bursar__at_us(int64_t us)
{
	return (gpr_timespec){
		.tv_sec = us / 1000000, .tv_nsec = (int32_t)(us % 1000000) * 1000, .clock_type = GPR_CLOCK_MONOTONIC};
}
