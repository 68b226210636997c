/* Each thread keeps its own list, so that authentication takes no lock. */
#include "api/auth/revoked.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/observe/log.h"

enum { LOOK_US = 1000000, LINE_LEN_MAX = 256 };

struct revoked {
	uint8_t list[REVOKED_MAX][FINGERPRINT_BYTES];
	int count;
	int64_t looked_at_us; /* 0: never */
	bool usable;
};

static __thread struct revoked revoked;

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool fingerprint_parse(const char *text, uint8_t out[FINGERPRINT_BYTES])
{
	const char *equals = strchr(text, '=');
	int n = 0;

	for (const char *p = equals ? equals + 1 : text; *p; p++) {
		int digit;

		if (*p == ':' || *p == '\n' || *p == '\r' || *p == ' ')
			continue;
		digit = digit_of(*p);
		if (digit < 0 || n == 2 * FINGERPRINT_BYTES)
			return false;
		out[n / 2] = (uint8_t)(n % 2 ? out[n / 2] | digit : digit << 4);
		n++;
	}
	return n == 2 * FINGERPRINT_BYTES;
}

static bool list_read(const char *path, struct revoked *out, struct err *err)
{
	FILE *file = fopen(path, "re");
	char line[LINE_LEN_MAX];
	bool ok = true;

	out->count = 0;
	if (!file)
		return err_invalid(err, "tls_revoked", "%.150s cannot be read: %s", path, strerror(errno));
	for (int number = 1; ok && fgets(line, sizeof(line), file); number++) {
		if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
			continue;
		if (out->count == REVOKED_MAX)
			ok = err_invalid(err, "tls_revoked", "%.150s has more than %d fingerprints", path, REVOKED_MAX);
		else if (!fingerprint_parse(line, out->list[out->count++]))
			ok = err_invalid(
				err, "tls_revoked", "line %d of %.150s is not a SHA-256 fingerprint", number, path);
	}
	fclose(file);
	return ok;
}

bool revoked_check(const char *path, struct err *err)
{
	return !path[0] || list_read(path, &revoked, err);
}

static void look(const char *path)
{
	int64_t now_us = clock_mono_us();
	bool was = revoked.usable || !revoked.looked_at_us;
	struct err err;

	if (revoked.looked_at_us && now_us - revoked.looked_at_us < LOOK_US)
		return;
	revoked.usable = list_read(path, &revoked, &err);
	revoked.looked_at_us = now_us;
	if (!revoked.usable && was)
		log_error("certificates are refused until tls_revoked is readable", F("why", err.text));
}

bool revoked_has(const char *path, const uint8_t fingerprint[FINGERPRINT_BYTES])
{
	look(path);
	for (int i = 0; i < revoked.count; i++)
		if (memcmp(revoked.list[i], fingerprint, FINGERPRINT_BYTES) == 0)
			return true;
	return !revoked.usable;
}
