/*
 * How a store reports limits that are not seeded and adopts the ledger's amounts; for the model and the fakes of
 * tests/unit.
 */
#ifndef TESTS_CONTRACT_SEEDING_H
#define TESTS_CONTRACT_SEEDING_H

#include "store/limits.h"

/* Adds account `index` to the answer LIMITS_UNSEEDED, unless it is seeded. Memory comes from op->arena. */
void unseeded_add(struct limits_op *op, int index, const struct account_state *state);

/* A bit for each calendar limit of the policy. */
uint32_t calendars_of(const struct policy *policy);

/* LIMITS_OK; or LIMITS_NOTHING, which leaves the state as it was. */
enum limits_status adopt_into(const struct limits_adopt *op, struct account_state *state);

#endif
