/* The reflection protocol: a stream of requests, each answered before the next one is read. */
#include "api/health/reflection.h"

#include <string.h>

#include "api/health/descriptors.h"
#include "api/auth/auth.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "rpc/message.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;
#define ASKED(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##name
#define ANSWERED(name) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##name

/* Streams need no key, so their number is limited, as for Watch in health.c. */
enum { STREAMS_MAX = 100, SERVICES_MAX = 16 };
static __thread int streams;

/* One stream, in the arena of its call. */
struct reflection {
	struct call *call;
	struct arena arena; /* for one request and its answer */
};

/* An answer and the parts it points to. */
struct answer {
	Response response;
	Grpc__Reflection__V1__FileDescriptorResponse files;
	Grpc__Reflection__V1__ListServiceResponse services;
	Grpc__Reflection__V1__ExtensionNumberResponse extensions;
	Grpc__Reflection__V1__ErrorResponse error;
	struct call *call;
	struct arena *arena;
};

static void leave(struct reflection *self)
{
	streams--;
	arena_release(&self->arena);
}

static void say_error(struct answer *answer, enum err_code code, const char *what, const char *name)
{
	grpc__reflection__v1__error_response__init(&answer->error);
	answer->error.error_code = code == ERR_NOT_FOUND ? 5 : 12; /* NOT_FOUND, UNIMPLEMENTED */
	answer->error.error_message = arena_printf(answer->arena, "%s%s", what, name);
	answer->response.message_response_case = ANSWERED(ERROR_RESPONSE);
	answer->response.error_response = &answer->error;
}

static void say_files(struct answer *answer, struct piece file)
{
	struct piece found[DESCRIPTORS_MAX];
	size_t count = descriptors_with_imports(file, found);
	ProtobufCBinaryData *list = arena_zalloc(answer->arena, count, sizeof(*list));

	for (size_t i = 0; i < count; i++)
		list[i] = (ProtobufCBinaryData){.len = found[i].len, .data = (uint8_t *)(uintptr_t)found[i].data};
	grpc__reflection__v1__file_descriptor_response__init(&answer->files);
	answer->files.n_file_descriptor_proto = count;
	answer->files.file_descriptor_proto = list;
	answer->response.message_response_case = ANSWERED(FILE_DESCRIPTOR_RESPONSE);
	answer->response.file_descriptor_response = &answer->files;
}

/* proto/ may describe services that this server does not serve; those are left out. */
static void add_service(const char *name, size_t len, void *arg)
{
	struct answer *answer = arg;
	Grpc__Reflection__V1__ServiceResponse *service;

	if (!call_serves(answer->call, name) || answer->services.n_service == SERVICES_MAX)
		return;
	service = arena_alloc(answer->arena, sizeof(*service));
	grpc__reflection__v1__service_response__init(service);
	service->name = arena_strndup(answer->arena, name, len);
	answer->services.service[answer->services.n_service++] = service;
}

static void say_services(struct answer *answer)
{
	grpc__reflection__v1__list_service_response__init(&answer->services);
	answer->services.service = arena_zalloc(answer->arena, SERVICES_MAX, sizeof(void *));
	descriptors_services(add_service, answer);
	answer->response.message_response_case = ANSWERED(LIST_SERVICES_RESPONSE);
	answer->response.list_services_response = &answer->services;
}

/* proto3 has no extensions, so the list stays empty. */
static void say_extensions(struct answer *answer, char *type)
{
	grpc__reflection__v1__extension_number_response__init(&answer->extensions);
	answer->extensions.base_type_name = type;
	answer->response.message_response_case = ANSWERED(ALL_EXTENSION_NUMBERS_RESPONSE);
	answer->response.all_extension_numbers_response = &answer->extensions;
}

static void answer_of(struct answer *answer, Request *request)
{
	struct piece file;

	grpc__reflection__v1__server_reflection_response__init(&answer->response);
	answer->response.valid_host = request->host;
	answer->response.original_request = request;
	switch (request->message_request_case) {
	case ASKED(FILE_BY_FILENAME):
		if (descriptors_file(request->file_by_filename, &file))
			say_files(answer, file);
		else
			say_error(answer, ERR_NOT_FOUND, "no such file: ", request->file_by_filename);
		return;
	case ASKED(FILE_CONTAINING_SYMBOL):
		if (descriptors_symbol(request->file_containing_symbol, &file))
			say_files(answer, file);
		else
			say_error(answer, ERR_NOT_FOUND, "no such symbol: ", request->file_containing_symbol);
		return;
	case ASKED(FILE_CONTAINING_EXTENSION):
		say_error(answer, ERR_NOT_FOUND, "no such extension of ",
			request->file_containing_extension->containing_type);
		return;
	case ASKED(ALL_EXTENSION_NUMBERS_OF_TYPE):
		if (descriptors_has_message(request->all_extension_numbers_of_type))
			say_extensions(answer, request->all_extension_numbers_of_type);
		else
			say_error(answer, ERR_NOT_FOUND, "no such message: ", request->all_extension_numbers_of_type);
		return;
	case ASKED(LIST_SERVICES):
		say_services(answer);
		return;
	default:
		say_error(answer, ERR_UNIMPLEMENTED, "unknown kind of request", "");
	}
}

static void got(struct call *call, const uint8_t *bytes, size_t n, void *ctx);

/* After a failed write, `gone` follows and ends the call. */
static void written(struct call *call, bool ok, void *ctx)
{
	struct reflection *self = ctx;

	if (ok)
		call_read(call, got, self);
}

static void end_with(struct reflection *self, const struct err *err)
{
	struct call *call = self->call;

	leave(self);
	if (err)
		call_fail(call, err);
	else
		call_end(call);
}

static void got(struct call *call, const uint8_t *bytes, size_t n, void *ctx)
{
	struct reflection *self = ctx;
	ProtobufCAllocator allocator = message_allocator(&self->arena);
	struct answer answer = {.call = call, .arena = &self->arena};
	Request *request;
	struct err err;

	if (!bytes) {
		end_with(self, NULL);
		return;
	}
	request = grpc__reflection__v1__server_reflection_request__unpack(&allocator, n, bytes);
	if (!request) {
		err_set(&err, ERR_INVALID, "the request is not a well-formed ServerReflectionRequest");
		end_with(self, &err);
		return;
	}
	answer_of(&answer, request);
	call_write_message(call, &answer.response.base, written, self);
	call_forget_request(call);
	arena_reset(&self->arena); /* now, because a slow caller may leave the packed answer waiting */
}

static void gone(struct call *call, void *ctx)
{
	struct err err;

	(void)call;
	err_set(&err, ERR_CANCELLED, "the caller is gone");
	end_with(ctx, &err);
}

static void draining(struct call *call, void *ctx)
{
	struct err err;

	(void)call;
	call_draining_error(&err);
	end_with(ctx, &err);
}

static void reflect(struct call *call, void *ctx)
{
	struct reflection *self;
	struct err err;

	(void)ctx;
	if (streams == STREAMS_MAX) {
		err_set(&err, ERR_EXHAUSTED, "%d reflection streams are already open", streams);
		err_reason(&err, "TOO_MANY_REFLECTION");
		call_fail(call, &err);
		return;
	}
	streams++;
	self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	self->call = call;
	call_on_cancel(call, gone, self);
	call_on_drain(call, draining, self);
	call_read(call, got, self);
}

const struct rpc_method reflection_methods[] = {
	{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", reflect, RPC_STREAMS, MAY_ANYBODY},
	{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", reflect, RPC_STREAMS, MAY_ANYBODY},
	{0},
};
