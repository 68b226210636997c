/* Compares the ids of outbox entries. */
#include "service/repair/drained.h"

#include <stdlib.h>

/* Parses a Redis stream id such as "1732398062123-7". */
static void entry_id(const char *id, uint64_t *ms, uint64_t *seq)
{
	char *end;

	*ms = strtoull(id, &end, 10);
	*seq = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;
}

bool outbox_drained(struct drain_bound *bound, const struct limits_birth *birth)
{
	uint64_t ms;
	uint64_t seq;

	if (!bound->set) {
		bound->set = true;
		entry_id(birth->last_entry, &bound->ms, &bound->seq);
		if (birth->everywhere) {
			bound->ms = (uint64_t)birth->op.now_us / 1000;
			bound->seq = UINT64_MAX;
		}
	}
	if (!birth->undrained || !birth->first_entry[0])
		return true;
	entry_id(birth->first_entry, &ms, &seq);
	return ms > bound->ms || (ms == bound->ms && seq > bound->seq);
}
