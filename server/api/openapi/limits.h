/* The bounds of api/message/fields.def as keywords of JSON Schema. */
#ifndef BURSAR_API_OPENAPI_LIMITS_H
#define BURSAR_API_OPENAPI_LIMITS_H

#include <stdbool.h>

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

/*
 * Adds what the server checks of a field of a request: lengths, ranges, patterns, numbers of items. Lengths are bytes
 * there and characters here, so the schema lets some texts pass that the server refuses, never the other way round.
 */
void limits_put(json_t *schema, const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field);

/* Whether a request that leaves the field out is refused, whatever else it has. */
bool limits_required(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field);

#endif
