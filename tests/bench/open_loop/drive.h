/* The loop that sends the calls when they are due, and waits for the answers. */
#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include "arrivals.h"
#include "target.h"

/*
 * Sends all calls to the target and returns when all have been answered; false when the connection failed. With a
 * rate, each call is sent when it is due (open loop). Without one, so many are in flight all the time (closed loop),
 * and each is due when it is sent.
 */
bool drive(struct target *target, struct arrivals *arrivals, int64_t in_flight, struct err *err);

#endif
