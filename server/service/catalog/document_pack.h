/* One side of a change as bytes that contain only what a document can say: equal entries are equal bytes. */
#ifndef BURSAR_SERVICE_CATALOG_DOCUMENT_PACK_H
#define BURSAR_SERVICE_CATALOG_DOCUMENT_PACK_H

#include "base/buf.h"
#include "store/document.h"

void document_side_pack(struct buf *out, const struct document_change *change, bool after);

#endif
