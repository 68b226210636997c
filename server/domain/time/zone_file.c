/* Zones are read once and kept: there are some 600 of them, 3 KB each. */
#include "domain/time/zone_file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/crypto/hash.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"
enum { CACHE_SLOTS = 1024, CACHE_MAX = 700, FILE_MAX = 65536, PATH_SIZE = 512, MISSING_MAX = 64 };

/* By which a file that was replaced is told from the one that was read. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* Slots are only ever filled; the names are those of files, so that callers cannot fill it with inventions. */
struct cached {
	char name[ZONE_NAME_MAX + 1];
	struct stamp stamp; /* of the refresher alone */
	struct tz tz; /* guarded by the lock */
};

/* Readers hold it as long as they look at a zone, which is microseconds; a zone is changed and filled in under it. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct cached *cache[CACHE_SLOTS];
static int cache_count;
static _Atomic uint64_t generation;

/* One refresh at a time. */
static pthread_mutex_t refreshing = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t missing_lock = PTHREAD_MUTEX_INITIALIZER;
static char missing[MISSING_MAX][ZONE_NAME_MAX + 1];
static int missing_count;

static const struct tz utc = {.has_rule = true};

static pthread_once_t folder_once = PTHREAD_ONCE_INIT;
static char folder[256] = ZONE_FOLDER;

static void folder_find(void)
{
	const char *given = getenv("TZDIR");

	if (given && given[0] == '/' && strlen(given) < sizeof(folder))
		memcpy(folder, given, strlen(given) + 1);
}

static void path_of(const char *name, char out[PATH_SIZE])
{
	pthread_once(&folder_once, folder_find);
	snprintf(out, PATH_SIZE, "%s/%s", folder, name);
}

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

static bool stamp_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static struct stamp stamp_of(const struct stat *status)
{
	return (struct stamp){.device = status->st_dev,
		.inode = status->st_ino,
		.size = status->st_size,
		.modified = status->st_mtim,
		.changed = status->st_ctim};
}

static bool file_parse(FILE *file, struct tz *out)
{
	uint8_t *data = mem_zalloc(1, FILE_MAX);
	size_t len = fread(data, 1, FILE_MAX, file);
	bool ok = !ferror(file) && tz_parse(data, len, out);

	free(data);
	return ok;
}

static struct cached *zone_read(const char *name)
{
	char path[PATH_SIZE];
	struct cached *zone;
	struct stat status;
	struct tz tz;
	FILE *file;
	bool ok;

	path_of(name, path);
	file = fopen(path, "rbe");
	if (!file)
		return NULL;
	ok = fstat(fileno(file), &status) == 0 && file_parse(file, &tz);
	fclose(file);
	if (!ok)
		return NULL;
	zone = mem_zalloc(1, sizeof(*zone));
	snprintf(zone->name, sizeof(zone->name), "%s", name);
	zone->stamp = stamp_of(&status);
	zone->tz = tz;
	return zone;
}

static void zone_free(struct cached *zone)
{
	tz_release(&zone->tz);
	free(zone);
}

/* The slot that holds the name, or the free one where it would be. */
static struct cached **slot_of(const char *name)
{
	size_t slot = hash64(name, strlen(name)) % CACHE_SLOTS;

	while (cache[slot] && strcmp(cache[slot]->name, name) != 0)
		slot = (slot + 1) % CACHE_SLOTS;
	return &cache[slot];
}

/* Reads the zone into the cache, unless somebody has. */
static bool zone_load(const char *name)
{
	struct cached *fresh = name_shape(name) ? zone_read(name) : NULL;
	struct cached **slot;
	bool held;

	if (!fresh)
		return false;
	pthread_rwlock_wrlock(&lock);
	slot = slot_of(name);
	held = *slot != NULL;
	if (!held && cache_count < CACHE_MAX) {
		*slot = fresh;
		cache_count++;
		fresh = NULL;
		held = true;
	}
	pthread_rwlock_unlock(&lock);
	if (fresh)
		zone_free(fresh);
	return held;
}

static bool is_utc(const char *name)
{
	return !name[0] || strcmp(name, "UTC") == 0;
}

static bool data_found(void)
{
	static const char *const always[] = {"tzdata.zi", "UTC", "Etc/UTC", "Europe/London"};
	char path[PATH_SIZE];

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		path_of(always[i], path);
		if (access(path, R_OK) == 0)
			return true;
	}
	return false;
}

static const struct tz *refuse(struct err *err)
{
	if (data_found())
		err_invalid(err, "time_zone", "no such zone in %s/; use an IANA name such as Europe/Berlin", folder);
	else
		err_set(err, ERR_PRECONDITION,
			"time_zone: the server has no time zone data in %s; install tzdata there, and put it again",
			folder);
	return NULL;
}

const struct tz *zone_take(const char *name, struct err *err)
{
	if (is_utc(name))
		return &utc;
	do {
		const struct cached *at;

		pthread_rwlock_rdlock(&lock);
		at = *slot_of(name);
		if (at)
			return &at->tz;
		pthread_rwlock_unlock(&lock);
	} while (zone_load(name));
	return refuse(err);
}

void zone_give(const struct tz *tz)
{
	if (tz != &utc)
		pthread_rwlock_unlock(&lock);
}

bool zone_check(const char *name, struct err *err)
{
	const struct tz *tz = zone_take(name, err);

	if (tz)
		zone_give(tz);
	return tz;
}

uint64_t zones_generation(void)
{
	return atomic_load_explicit(&generation, memory_order_acquire);
}

void zone_miss(const char *name)
{
	int i = 0;

	pthread_mutex_lock(&missing_lock);
	while (i < missing_count && strcmp(missing[i], name) != 0)
		i++;
	if (i == missing_count && i < MISSING_MAX)
		snprintf(missing[missing_count++], sizeof(missing[0]), "%s", name);
	pthread_mutex_unlock(&missing_lock);
}

/* Those that are there now are none any more. */
static void missing_refresh(void)
{
	int left = 0;

	pthread_mutex_lock(&missing_lock);
	for (int i = 0; i < missing_count; i++) {
		if (zone_load(missing[i])) {
			atomic_fetch_add(&generation, 1);
			continue;
		}
		if (left != i)
			memcpy(missing[left], missing[i], sizeof(missing[0]));
		left++;
	}
	if (missing_count == MISSING_MAX)
		atomic_fetch_add(&generation, 1); /* there may be more: they are noted again */
	missing_count = left;
	pthread_mutex_unlock(&missing_lock);
}

/* A file that is gone, or cannot be read as it is, leaves what was known; the latter is tried again. */
static bool zone_refresh(struct cached *zone)
{
	char path[PATH_SIZE];
	struct stat status;
	struct stamp now;
	struct cached *fresh;
	struct tz old;

	path_of(zone->name, path);
	if (stat(path, &status) != 0)
		return false;
	now = stamp_of(&status);
	if (stamp_same(&now, &zone->stamp))
		return false;
	fresh = zone_read(zone->name);
	if (!fresh)
		return false;
	pthread_rwlock_wrlock(&lock);
	old = zone->tz;
	zone->tz = fresh->tz;
	atomic_fetch_add(&generation, 1);
	pthread_rwlock_unlock(&lock);
	zone->stamp = fresh->stamp;
	fresh->tz = old;
	zone_free(fresh);
	return true;
}

int zones_refresh(void)
{
	int changed = 0;

	pthread_mutex_lock(&refreshing);
	for (int i = 0; i < CACHE_SLOTS; i++) {
		struct cached *zone;

		pthread_rwlock_rdlock(&lock);
		zone = cache[i];
		pthread_rwlock_unlock(&lock);
		changed += zone && zone_refresh(zone);
	}
	missing_refresh();
	pthread_mutex_unlock(&refreshing);
	return changed;
}

/* "2025b" of the file's first line, "2025b" or "# version 2025b"; "" when there is none. */
static bool version_read(const char *name, char out[32])
{
	char path[PATH_SIZE], line[80] = "";
	FILE *file;

	path_of(name, path);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return sscanf(line, "# version %31[0-9A-Za-z.-]", out) == 1 || sscanf(line, "%31[0-9A-Za-z.-]", out) == 1;
}

void zones_facts(struct zones_facts *out)
{
	*out = (struct zones_facts){.found = data_found()};
	memcpy(out->folder, folder, sizeof(folder));
	if (!version_read("+VERSION", out->version) && !version_read("tzdata.zi", out->version))
		out->version[0] = '\0';
	pthread_mutex_lock(&missing_lock);
	out->missing = missing_count;
	if (missing_count)
		memcpy(out->first_missing, missing[0], sizeof(missing[0]));
	pthread_mutex_unlock(&missing_lock);
}
