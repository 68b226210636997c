/* Zones are read once and kept: there are some 600 of them, 3 KB each. */
#include "domain/zone_file.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "domain/window.h"

#define ZONE_FOLDER "/usr/share/zoneinfo/"
enum { CACHE_SLOTS = 1024, CACHE_MAX = 700, FILE_MAX = 65536 };

/* Slots are only ever filled, so that readers need no lock; the names are those of files, so that callers cannot fill
 * it with inventions. */
struct cached {
	char name[ZONE_NAME_MAX + 1];
	struct tz tz;
};
static _Atomic(struct cached *) cache[CACHE_SLOTS];
static atomic_int cache_count;

static const struct tz utc = {.has_rule = true};

static bool name_shape(const char *name)
{
	size_t len = strlen(name);

	if (len > ZONE_NAME_MAX || strncmp(name, "right/", 6) == 0 || strncmp(name, "posix/", 6) == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		/* A name part begins with a letter: no "..", no "//", no hidden files. */
		if (i == 0 || name[i - 1] == '/') {
			if (!letter)
				return false;
		} else if (!letter && !(c >= '0' && c <= '9') && !strchr("_+-/", c)) {
			return false;
		}
	}
	return len && name[len - 1] != '/';
}

static struct cached *zone_read(const char *name)
{
	char path[sizeof(ZONE_FOLDER) + ZONE_NAME_MAX + 1];
	struct cached *zone = NULL;
	uint8_t *data;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), ZONE_FOLDER "%s", name);
	file = fopen(path, "rbe");
	if (!file)
		return NULL;
	data = mem_zalloc(1, FILE_MAX);
	len = fread(data, 1, FILE_MAX, file);
	if (!ferror(file)) {
		zone = mem_zalloc(1, sizeof(*zone));
		snprintf(zone->name, sizeof(zone->name), "%s", name);
		if (!tz_parse(data, len, &zone->tz)) {
			free(zone);
			zone = NULL;
		}
	}
	free(data);
	fclose(file);
	return zone;
}

static void zone_free(struct cached *zone)
{
	tz_release(&zone->tz);
	free(zone);
}

/* NULL when there is no such zone. */
static const struct tz *zone_find(const char *name)
{
	struct cached *fresh = NULL;
	struct cached *at;
	size_t slot;

	if (!name[0] || strcmp(name, "UTC") == 0)
		return &utc;
	if (!name_shape(name))
		return NULL;
	slot = hash64(name, strlen(name)) % CACHE_SLOTS;
	for (;; slot = (slot + 1) % CACHE_SLOTS) {
		at = atomic_load_explicit(&cache[slot], memory_order_acquire);
		if (!at) {
			if (!fresh)
				fresh = zone_read(name);
			if (!fresh)
				return NULL;
			if (atomic_load(&cache_count) >= CACHE_MAX) {
				zone_free(fresh);
				return NULL;
			}
			if (atomic_compare_exchange_strong(&cache[slot], &at, fresh)) {
				atomic_fetch_add(&cache_count, 1);
				return &fresh->tz;
			}
		}
		if (strcmp(at->name, name) == 0) {
			if (fresh)
				zone_free(fresh);
			return &at->tz;
		}
	}
}

const struct tz *zone_need(const char *name, struct err *err)
{
	const struct tz *tz = zone_find(name);

	if (!tz)
		err_invalid(
			err, "time_zone", "no such zone in " ZONE_FOLDER "; use an IANA name such as Europe/Berlin");
	return tz;
}

bool zone_check(const char *name, struct err *err)
{
	return zone_need(name, err) != NULL;
}
