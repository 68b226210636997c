/* Files embedded in the binary at build time (cmake/Embed.cmake): the Lua, the migrations, the API's descriptors, the
 * dashboard. */
#ifndef BURSAR_BASE_EMBEDDED_H
#define BURSAR_BASE_EMBEDDED_H

#include <stddef.h>

/* The files listed in lua/ORDER, concatenated; a NUL that `size` does not count follows. */
extern const char bursar_lua_source[];
extern const size_t bursar_lua_source_size;
/* The same for lua/pool/. */
extern const char bursar_pool_lua_source[];
extern const size_t bursar_pool_lua_source_size;

/* migrations/NNNN_name.up.sql and its .down.sql: version is NNNN, name the part after it. */
struct embedded_migration {
	int version;
	const char *name, *up, *down;
};

/* In ascending order of version. */
extern const struct embedded_migration embedded_migrations[];
extern const size_t embedded_migrations_count;

/* All of proto/ and its imports as a serialized google.protobuf.FileDescriptorSet, each file after its imports. With the
 * comments, for OpenAPI and for clients of reflection. */
extern const unsigned char bursar_descriptors[];
extern const size_t bursar_descriptors_size;

/* server/api/openapi/examples.json, and parts.json beside it. */
extern const unsigned char bursar_examples[];
extern const size_t bursar_examples_size;
extern const unsigned char bursar_parts[];
extern const size_t bursar_parts_size;

/* A file of server/page/. `path` is the one of its address, "/lib/dom.js"; index.html is "/", and the
 * one of a folder is the address of the folder. `etag` has its quotes. */
struct embedded_page {
	const char *path, *type, *etag;
	const unsigned char *bytes;
	size_t size;
};

/* In ascending order of the files' names. */
extern const struct embedded_page embedded_pages[];
extern const size_t embedded_pages_count;

#endif
