/* The libraries of functions in Redis. */
#include "redis/link/functions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/embedded.h"
#include "base/crypto/hash.h"

void redis_library_init(struct redis_library *library, const char *source, size_t len)
{
	static const char *const texts[] = {
#define FUNCTION_TEXT_(name, text) text,
		REDIS_FUNCTIONS(FUNCTION_TEXT_)
#undef FUNCTION_TEXT_
	};
	struct buf out = {0};

	snprintf(library->hash, sizeof(library->hash), "%08x", (unsigned)(hash64(source, len) >> 32));
	for (const char *p = source, *end = source + len; p < end;) {
		const char *mark = memmem(p, (size_t)(end - p), "@V@", 3);

		buf_put(&out, p, (size_t)((mark ? mark : end) - p));
		if (!mark)
			break;
		buf_put(&out, library->hash, 8);
		p = mark + 3;
	}
	library->source = out.data;
	library->source_len = out.len;
	for (int i = 0; i < FUNCTION_COUNT; i++)
		snprintf(library->names[i], sizeof(library->names[i]), "bursar_%s_%s", texts[i], library->hash);
}

void redis_library_release(struct redis_library *library)
{
	free(library->source);
	library->source = NULL;
}

static struct redis_library builtin, pool;

static void builtin_make(void)
{
	redis_library_init(&builtin, bursar_lua_source, bursar_lua_source_size);
	redis_library_init(&pool, bursar_pool_lua_source, bursar_pool_lua_source_size);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

const struct redis_library *redis_library_builtin(void)
{
	pthread_once(&once, builtin_make);
	return &builtin;
}

const struct redis_library *redis_library_pool(void)
{
	pthread_once(&once, builtin_make);
	return &pool;
}
