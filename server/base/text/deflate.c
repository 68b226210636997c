/* Compresses texts, and reads them again. */
#include "base/text/deflate.h"

#define ZLIB_CONST
#include <zlib.h>

#include "base/arena.h"

enum { PIECE = 65536, GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8, GZIP_LEVEL = 4 };

void deflate_text(const char *text, size_t len, struct buf *out)
{
	uLongf room = compressBound(len);

	/* Fails only without memory: there is enough room. */
	if (compress2((Bytef *)buf_reserve(out, room), &room, (const Bytef *)text, len, Z_BEST_COMPRESSION) != Z_OK)
		mem_exhausted(room);
	out->len += room;
	out->data[out->len] = '\0';
}

/* Inflates piece by piece: how long the text is, only its bytes say. */
static int inflate_all(z_stream *stream, size_t max, struct buf *out)
{
	size_t before = out->len;
	int status;

	do {
		stream->next_out = (Bytef *)buf_reserve(out, PIECE);
		stream->avail_out = PIECE;
		status = inflate(stream, Z_NO_FLUSH);
		out->len += PIECE - stream->avail_out;
		if (out->len - before > max)
			return Z_MEM_ERROR;
	} while (status == Z_OK);
	out->data[out->len] = '\0';
	return status;
}

bool inflate_text(const void *bytes, size_t len, size_t max, const char *field, struct buf *out, struct err *err)
{
	z_stream stream = {.next_in = (const Bytef *)bytes, .avail_in = (uInt)len};
	size_t before = out->len;
	int status;

	if (len > UINT32_MAX || inflateInit(&stream) != Z_OK)
		return err_invalid(err, field, "cannot be read");
	status = inflate_all(&stream, max, out);
	inflateEnd(&stream);
	if (status == Z_STREAM_END && stream.avail_in == 0)
		return true;
	out->len = before;
	if (out->data)
		out->data[before] = '\0';
	if (status == Z_MEM_ERROR)
		return err_invalid(err, field, "has more than %zu bytes when it is inflated", max);
	return err_invalid(err, field, "is not a whole text in the format of zlib");
}

void gzip_text(const char *text, size_t len, struct buf *out)
{
	z_stream stream = {.next_in = (const Bytef *)text, .avail_in = (uInt)len};

	if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		mem_exhausted(len);
	stream.avail_out = (uInt)deflateBound(&stream, len);
	stream.next_out = (Bytef *)buf_reserve(out, stream.avail_out);
	/* Cannot fail: there is enough room. */
	deflate(&stream, Z_FINISH);
	out->len += stream.total_out;
	out->data[out->len] = '\0';
	deflateEnd(&stream);
}
