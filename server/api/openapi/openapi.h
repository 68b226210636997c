/* The OpenAPI 3.1 document of the HTTP interface, from the table of paths and the descriptors of proto/. */
#ifndef BURSAR_API_OPENAPI_OPENAPI_H
#define BURSAR_API_OPENAPI_OPENAPI_H

#include "base/buf.h"

/* Appends the document, which is JSON. The first call makes it; any thread may ask. */
void rest_openapi(struct buf *out);

#endif
