/* The OpenAPI 3.1 document of the HTTP interface, from the table of paths and the descriptors of proto/. */
#ifndef BURSAR_API_OPENAPI_OPENAPI_H
#define BURSAR_API_OPENAPI_OPENAPI_H

#include "base/buf.h"

/* Appends the document, which is JSON. It is made once, in some 10 ms: ask for it before serving begins. */
void rest_openapi(struct buf *out);

#endif
