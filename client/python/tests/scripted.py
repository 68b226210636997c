"""A gRPC server that answers as a test says: what a real one does only in a bad moment."""
import contextlib

import grpc

from bursar import details_pb2
from bursar.v1 import admin_pb2, alerts_pb2, limiter_pb2

METHODS = {"Check": limiter_pb2.CheckRequest, "CheckBatch": limiter_pb2.CheckBatchRequest, "Record": limiter_pb2.RecordRequest,
           "RecordBatch": limiter_pb2.RecordBatchRequest, "Cancel": limiter_pb2.CancelRequest, "Acquire": limiter_pb2.AcquireRequest,
           "Renew": limiter_pb2.RenewRequest, "CreateKey": admin_pb2.CreateKeyRequest, "Events": alerts_pb2.EventsRequest}


class Scripted(grpc.GenericRpcHandler):
    """`calls` has (method, request) of each call. `script[method]` is a coroutine function of request and context that answers it."""

    def __init__(self):
        self.calls, self.metadata, self.script, self.port = [], [], {}, 0

    def of(self, method):
        return [request for name, request in self.calls if name == method]

    def service(self, handler_call_details):
        method = handler_call_details.method.rpartition("/")[2]
        read = METHODS[method].FromString

        async def unary(request, context):
            self.calls.append((method, request))
            self.metadata.append(dict(context.invocation_metadata()))
            return await self.script.get(method, getattr(self, method.lower(), None))(request, context)

        async def stream(request, context):
            self.calls.append((method, request))
            async for message in self.script[method](request, context):
                yield message

        if method in ("Acquire", "Events"):
            return grpc.unary_stream_rpc_method_handler(stream, read, lambda message: message.SerializeToString())
        return grpc.unary_unary_rpc_method_handler(unary, read, lambda message: message.SerializeToString())

    async def check(self, request, _):
        return limiter_pb2.CheckResponse(allowed=True, request_id=request.request_id, reservation="r-" + request.request_id, started_at_us=1)

    async def checkbatch(self, request, context):
        return limiter_pb2.CheckBatchResponse(items=[limiter_pb2.CheckItem(response=await self.check(one, context)) for one in request.items])

    async def record(self, request, _):
        return limiter_pb2.RecordResponse(request_id=request.reservation.request_id, tokens=request.usage.input_tokens)

    async def recordbatch(self, request, context):
        return limiter_pb2.RecordBatchResponse(items=[limiter_pb2.RecordItem(response=await self.record(one, context)) for one in request.items])

    async def renew(self, *_):
        return limiter_pb2.RenewResponse(expires_at_us=1)

    async def cancel(self, *_):
        return limiter_pb2.CancelResponse()


@contextlib.asynccontextmanager
async def scripted(port=0):
    """A server, and its address in `address`."""
    handler = Scripted()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    handler.port = server.add_insecure_port(f"127.0.0.1:{port}")
    handler.address = f"127.0.0.1:{handler.port}"
    await server.start()
    try:
        yield handler
    finally:
        await server.stop(None)


async def fail(context, code, text="", retry_ms=0, reason="", pushback_ms=0):
    """Ends a call as Bursar does, with details."""
    status = details_pb2.Status(code=code.value[0], message=text)
    if retry_ms:
        delay = details_pb2.Duration(seconds=retry_ms // 1000, nanos=retry_ms % 1000 * 1_000_000)
        status.details.add(type_url="type.googleapis.com/google.rpc.RetryInfo",
                           value=details_pb2.RetryInfo(retry_delay=delay).SerializeToString())
    if reason:
        status.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo",
                           value=details_pb2.ErrorInfo(reason=reason).SerializeToString())
    trailing = [("grpc-status-details-bin", status.SerializeToString())]
    if pushback_ms:
        trailing.append(("grpc-retry-pushback-ms", str(pushback_ms)))
    await context.abort(code, text, tuple(trailing))
