/* What travels inside the binary: the Lua, the migrations and the descriptors of the API, made at build time (cmake/Embed.cmake). */
#ifndef BURSAR_BASE_EMBEDDED_H
#define BURSAR_BASE_EMBEDDED_H

#include <stddef.h>

/* The files that lua/ORDER names, one after the other; ends in a NUL that `size` does not count. */
extern const char bursar_lua_source[];
extern const size_t bursar_lua_source_size;
/* The same of lua/pool/. */
extern const char bursar_pool_lua_source[];
extern const size_t bursar_pool_lua_source_size;

/* migrations/NNNN_name.up.sql and its .down.sql: version is NNNN, name the part behind it. */
struct embedded_migration {
	int version;
	const char *name, *up, *down;
};

/* In rising order of version. */
extern const struct embedded_migration embedded_migrations[];
extern const size_t embedded_migrations_count;

/* All of proto/ and what it imports: a serialized google.protobuf.FileDescriptorSet, each file behind those that it imports. */
extern const unsigned char bursar_descriptors[];
extern const size_t bursar_descriptors_size;

#endif
