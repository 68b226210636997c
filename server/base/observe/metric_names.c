/* Names of label values: bounded tables in which the last value, "other", stands for all names that do not fit. */
#include "base/observe/metric_names.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"

const char *metric_methods[METRIC_METHOD_MAX] = {[METRIC_METHOD_MAX - 1] = "other"};
const char *metric_tiers[METRIC_TIER_MAX] = {[METRIC_TIER_NONE] = "none", [METRIC_TIER_MAX - 1] = "other"};
const char *metric_interfaces[METRIC_INTERFACE_MAX] = {
	[METRIC_INTERFACE_NONE] = "none", [METRIC_INTERFACE_MAX - 1] = "other"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void metric_names_lock(void)
{
	pthread_mutex_lock(&lock);
}

void metric_names_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* The value of that name, or else the first value without a name; the last one if all have names. */
static unsigned find(const char *const *names, unsigned count, const char *name, size_t len)
{
	unsigned at = 0;

	while (at < count - 1 && names[at] && (strncmp(names[at], name, len) != 0 || names[at][len]))
		at++;
	return at;
}

static unsigned find_or_add(const char **names, unsigned count, const char *name, size_t len)
{
	unsigned at = find(names, count, name, len);

	if (!names[at]) {
		char *copy = mem_zalloc(1, len + 1);

		memcpy(copy, name, len);
		names[at] = copy;
	}
	return at;
}

unsigned metrics_method(const char *name)
{
	unsigned at;

	metric_names_lock();
	at = find(metric_methods, METRIC_METHOD_MAX, name, strlen(name));
	if (!metric_methods[at])
		metric_methods[at] = name;
	metric_names_unlock();
	return at;
}

unsigned metrics_tier(const char *name)
{
	unsigned at;

	metric_names_lock();
	at = find_or_add(metric_tiers, METRIC_TIER_MAX, name, strlen(name));
	metric_names_unlock();
	return at;
}

void metrics_interfaces(const char *names)
{
	metric_names_lock();
	while (*names) {
		size_t len = strcspn(names, ",");

		if (len)
			find_or_add(metric_interfaces, METRIC_INTERFACE_MAX, names, len);
		names += len + (names[len] == ',');
	}
	metric_names_unlock();
}

unsigned metrics_interface(const char *name)
{
	unsigned at = 1;

	if (!*name)
		return METRIC_INTERFACE_NONE;
	while (at < METRIC_INTERFACE_MAX - 1 && metric_interfaces[at]) {
		if (*metric_interfaces[at] == *name && strcmp(metric_interfaces[at], name) == 0)
			return at;
		at++;
	}
	return METRIC_INTERFACE_MAX - 1;
}

void metrics_put_label(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			buf_put_str(out, "\\");
		buf_put(out, *text == '\n' ? "\\n" : text, *text == '\n' ? 2 : 1);
	}
}
