/* Writes JSON objects, lists, strings, integers and booleans as YAML. */
#ifndef BURSAR_CLI_YAML_WRITE_H
#define BURSAR_CLI_YAML_WRITE_H

#include <jansson.h>

#include "base/buf.h"

/* Appends the document, with keys in the order in which they were set. */
void yaml_put(struct buf *out, const json_t *document);

#endif
