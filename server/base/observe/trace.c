/* Reads and makes trace ids. */
#include "base/observe/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/observe/trace_private.h"

/* "00-" trace id "-" span id "-" flags */
enum { ID_AT = 3, ID_LEN = 32, SPAN_AT = 36, SPAN_LEN = 16, FLAGS_AT = 53, LEN = 55 };
enum { MILLION = 1000000, FLAG_SAMPLED = 1 };

_Thread_local struct trace *trace_now;

static struct {
	bool exporting;
	uint64_t per_million;
} config;

void trace_sample(bool exporting, int64_t per_million)
{
	config.exporting = exporting;
	config.per_million = (uint64_t)per_million;
}

/* splitmix64: ids have to be unique, not secret. */
uint64_t trace_random(void)
{
	static _Thread_local uint64_t state;
	uint64_t z;

	/* Up to 256 bytes come in one piece once the kernel's pool is ready. */
	if (!state && getrandom(&state, sizeof(state), 0) != (ssize_t)sizeof(state))
		abort();
	z = state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return z ? z : 1; /* an id of zeros is none */
}

/* Lower-case hex, as the specification demands; at most 16 digits are returned. */
static bool hex(const char *text, size_t len, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		*out = *out << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return true;
}

/* Version 00 has exactly these fields; later ones may have more after them. 255 is not a version. */
static bool parse(const char *text, size_t len, struct trace *out)
{
	uint64_t version, high, low, flags;

	if (len < LEN || text[2] != '-' || text[ID_AT + ID_LEN] != '-' || text[SPAN_AT + SPAN_LEN] != '-')
		return false;
	if (!hex(text, 2, &version) || version == 255 || (len > LEN && (version == 0 || text[LEN] != '-')))
		return false;
	if (!hex(text + ID_AT, ID_LEN / 2, &high) || !hex(text + ID_AT + ID_LEN / 2, ID_LEN / 2, &low) ||
		!hex(text + SPAN_AT, SPAN_LEN, &out->parent) || !hex(text + FLAGS_AT, 2, &flags))
		return false;
	if ((high | low) == 0 || out->parent == 0)
		return false;
	memcpy(out->id, text + ID_AT, ID_LEN);
	out->sampled = config.exporting && flags & FLAG_SAMPLED;
	return true;
}

static bool chosen(void)
{
	return config.exporting && config.per_million && trace_random() % MILLION < config.per_million;
}

struct trace *trace_begin(const char *traceparent, size_t len)
{
	struct trace found = {.references = 1};
	struct trace *trace;

	if (!traceparent || !parse(traceparent, len, &found)) {
		if (!chosen())
			return NULL;
		found = (struct trace){.references = 1, .sampled = true};
		snprintf(found.id, sizeof(found.id), "%016" PRIx64 "%016" PRIx64, trace_random(), trace_random());
	}
	if (found.sampled)
		found.span = trace_random();
	trace = mem_zalloc(1, sizeof(*trace));
	*trace = found;
	return trace;
}

void trace_free(struct trace *trace)
{
	free(trace);
}
