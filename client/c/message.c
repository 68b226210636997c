/* Messages as bytes and back. Declared in internal.h and bursar.h. */
#include "c/internal.h"

#include <stdlib.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>

void bursar_free(void *answer)
{
	protobuf_c_message_free_unpacked(answer, NULL);
}

ProtobufCMessage *bursar__message_copy(const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = malloc(len + 1);
	ProtobufCMessage *copy;

	if (!bytes)
		abort();
	protobuf_c_message_pack(message, bytes);
	copy = protobuf_c_message_unpack(message->descriptor, NULL, len, bytes);
	free(bytes);
	if (!copy)
		abort(); /* what was just packed unpacks, unless memory is short */
	return copy;
}

grpc_byte_buffer *bursar__message_bytes(const ProtobufCMessage *message)
{
	grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
	grpc_byte_buffer *bytes;

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	bytes = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return bytes;
}

void *bursar__message_read(
	grpc_byte_buffer *bytes, const ProtobufCMessageDescriptor *descriptor, struct bursar_error *error)
{
	grpc_byte_buffer_reader reader;
	ProtobufCMessage *message = NULL;

	if (bytes && grpc_byte_buffer_reader_init(&reader, bytes)) {
		grpc_slice slice = grpc_byte_buffer_reader_readall(&reader);

		message = protobuf_c_message_unpack(
			descriptor, NULL, GRPC_SLICE_LENGTH(slice), GRPC_SLICE_START_PTR(slice));
		grpc_slice_unref(slice);
		grpc_byte_buffer_reader_destroy(&reader);
	}
	if (!message) {
		bursar__error_set(error, BURSAR_INTERNAL, "the answer is not a well-formed %s", descriptor->name);
		error->from_server = true;
	}
	return message;
}
