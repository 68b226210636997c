/* Private to server/base/observe: the label values that are named at run time (metrics.h). */
#ifndef BURSAR_BASE_OBSERVE_METRIC_NAMES_H
#define BURSAR_BASE_OBSERVE_METRIC_NAMES_H

#include "base/observe/metrics.h"

/* By value; NULL where a value has no name yet. To be read with the lock held. */
extern const char *metric_methods[METRIC_METHOD_MAX];
extern const char *metric_tiers[METRIC_TIER_MAX];
extern const char *metric_interfaces[METRIC_INTERFACE_MAX];

void metric_names_lock(void);
void metric_names_unlock(void);

#endif
