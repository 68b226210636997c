/* The RPCs, by enum bursar_method and enum bursar_stream_method. Declared in internal.h; the rows are made from proto/. */
#include "c/internal.h"

const struct bursar__method bursar__methods[BURSAR_METHODS] = {
#define METHOD(ENUM, name, path, Request, request, Answer, answer) \
	[BURSAR_##ENUM] = {path, &bursar__v1__##request##__descriptor, &bursar__v1__##answer##__descriptor},
#include "c/methods.def"
};

const struct bursar__method bursar__stream_methods[BURSAR_STREAMS] = {
#define STREAM(ENUM, path, request, answer) \
	[BURSAR_##ENUM] = {path, &bursar__v1__##request##__descriptor, &bursar__v1__##answer##__descriptor},
#include "c/methods.def"
};
