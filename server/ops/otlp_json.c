/*
 * JSON and not protobuf: both are in the specification, every collector takes both, and this needs no other schema in
 * the build. Ids are hex here, not base64 as elsewhere in protobuf's JSON, and 64-bit numbers are strings.
 */
#include "ops/otlp_json.h"

#include <inttypes.h>
#include <string.h>

/* opentelemetry.proto.trace.v1.Span.SpanKind, Status.StatusCode */
enum { KIND_SERVER = 2, KIND_CLIENT = 3, STATUS_ERROR = 2 };

/* Names of hosts, methods and commands hold nothing that JSON escapes, except by accident. */
static void put_text(struct buf *out, const char *text, size_t len)
{
	buf_put_str(out, "\"");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			buf_put_str(out, "\\");
		buf_put(out, c < 0x20 || c >= 0x7f ? "?" : text + i, 1);
	}
	buf_put_str(out, "\"");
}

static void put_attribute(struct buf *out, bool first, const char *key, const char *text, size_t len)
{
	buf_putf(out, "%s{\"key\":\"%s\",\"value\":{\"stringValue\":", first ? "" : ",", key);
	put_text(out, text, len);
	buf_put_str(out, "}}");
}

static void put_call(struct buf *out, const struct span *span)
{
	const char *slash = strchr(span->name, '/');
	size_t service = slash ? (size_t)(slash - span->name) : 0;

	put_attribute(out, true, "rpc.system", "grpc", 4);
	if (slash) {
		put_attribute(out, false, "rpc.service", span->name, service);
		put_attribute(out, false, "rpc.method", slash + 1, strlen(slash + 1));
	}
	buf_putf(out, ",{\"key\":\"rpc.grpc.status_code\",\"value\":{\"intValue\":\"%d\"}}", span->status);
}

/* What HTTP answered is not known yet when the call ends. */
static void put_request(struct buf *out, const struct span *span)
{
	size_t method = strcspn(span->name, " ");

	put_attribute(out, true, "http.request.method", span->name, method);
	put_attribute(out, false, "http.route", span->name + method + 1, strlen(span->name + method + 1));
	put_attribute(out, false, "bursar.rpc", span->rpc, strlen(span->rpc));
	buf_putf(out, ",{\"key\":\"bursar.status_code\",\"value\":{\"intValue\":\"%d\"}}", span->status);
}

static void put_question(struct buf *out, const struct span *span)
{
	if (span->kind == SPAN_REDIS)
		put_attribute(out, true, "db.system.name", "redis", 5);
	else
		put_attribute(out, true, "db.system.name", "postgresql", 10);
	put_attribute(out, false, "db.operation.name", span->name, strlen(span->name));
}

static void put_span(struct buf *out, const struct span *span)
{
	buf_putf(out, "{\"traceId\":\"%s\",\"spanId\":\"%016" PRIx64 "\"", span->trace, span->id);
	if (span->parent)
		buf_putf(out, ",\"parentSpanId\":\"%016" PRIx64 "\"", span->parent);
	buf_put_str(out, ",\"name\":");
	put_text(out, span->name, strlen(span->name));
	buf_putf(out, ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64 "000\",\"endTimeUnixNano\":\"%" PRId64 "000\"",
		span->kind == SPAN_SERVER ? KIND_SERVER : KIND_CLIENT, span->start_us, span->end_us);
	buf_put_str(out, ",\"attributes\":[");
	if (span->rpc)
		put_request(out, span);
	else if (span->kind == SPAN_SERVER)
		put_call(out, span);
	else
		put_question(out, span);
	buf_put_str(out, "]");
	if (span->failed)
		buf_putf(out, ",\"status\":{\"code\":%d}", STATUS_ERROR);
	buf_put_str(out, "}");
}

void otlp_json(struct buf *out, const char *instance, const struct span *spans, size_t count)
{
	buf_put_str(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
	put_attribute(out, true, "service.name", "bursard", 7);
	put_attribute(out, false, "service.version", BURSAR_VERSION, sizeof(BURSAR_VERSION) - 1);
	put_attribute(out, false, "service.instance.id", instance, strlen(instance));
	buf_put_str(out, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"bursar\"},\"spans\":[");
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_put_str(out, ",");
		put_span(out, &spans[i]);
	}
	buf_put_str(out, "]}]}]}");
}
