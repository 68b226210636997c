/* JSON's objects, lists, texts, whole numbers and truths as YAML. */
#ifndef BURSAR_CLI_YAML_WRITE_H
#define BURSAR_CLI_YAML_WRITE_H

#include <jansson.h>

#include "base/buf.h"

/* Appends the document, in the order in which keys were set. */
void yaml_put(struct buf *out, const json_t *document);

#endif
