/* A price's modes as people write them, "batch=1/2 flex=1/2", to be compared with. */
#ifndef BURSAR_TESTS_LIB_MODES_TEXT_H
#define BURSAR_TESTS_LIB_MODES_TEXT_H

#include <inttypes.h>

#include "base/buf.h"
#include "domain/price/price.h"

static inline void modes_format(const struct price *price, struct buf *out)
{
	for (int i = 0; i < price->modes; i++)
		buf_putf(out, "%s%s=%" PRId32 "/%" PRId32, i ? " " : "", price->mode[i].name, price->mode[i].num,
			price->mode[i].den);
}

#endif
