/* What proto/ describes, as it travels inside the binary: found by file and by name. */
#ifndef BURSAR_API_HEALTH_DESCRIPTORS_H
#define BURSAR_API_HEALTH_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the binary. One of a FileDescriptorProto, or the name of something. Static storage. */
struct piece {
	const uint8_t *data;
	size_t len;
};

/* The file "bursar/v1/limiter.proto". False: there is none. */
bool descriptors_file(const char *name, struct piece *out);

/* The file that defines "bursar.v1.Limiter", "bursar.v1.Limiter.Check", a message, a field, an enum. False: none does. */
bool descriptors_symbol(const char *symbol, struct piece *out);

/* A message of exactly that name? */
bool descriptors_has_message(const char *name);

/* The file and all that it imports, each once, the file first; as many as `max` at most. How many. */
enum { DESCRIPTORS_MAX = 64 };
size_t descriptors_with_imports(struct piece file, struct piece out[DESCRIPTORS_MAX]);

/* Calls `each` with the full name of every service. */
void descriptors_services(void (*each)(const char *name, size_t len, void *arg), void *arg);

#endif
