/* The descriptors of proto/, embedded in the binary, by file and by symbol. */
#ifndef BURSAR_API_HEALTH_DESCRIPTORS_H
#define BURSAR_API_HEALTH_DESCRIPTORS_H

#include "api/health/piece.h"

/* Finds a file by name, such as "bursar/v1/limiter.proto". False when there is none. */
bool descriptors_file(const char *name, struct piece *out);

/* Finds the file that defines a service ("bursar.v1.Limiter"), method, message, field or enum. False when none does. */
bool descriptors_symbol(const char *symbol, struct piece *out);

/* Whether a message with exactly that name exists. */
bool descriptors_has_message(const char *name);

/* The file, then everything it imports, each file once, at most DESCRIPTORS_MAX. Returns the count. */
enum { DESCRIPTORS_MAX = 64 };
size_t descriptors_with_imports(struct piece file, struct piece out[DESCRIPTORS_MAX]);

/* All files, as a serialized FileDescriptorSet. */
struct piece descriptors_all(void);

/* Calls `each` with the full name of every service. */
void descriptors_services(void (*each)(const char *name, size_t len, void *arg), void *arg);

#endif
