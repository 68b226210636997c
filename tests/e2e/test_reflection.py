"""Reflection: a client that knows nothing of Bursar finds out what is served, calls it, and reads the details of its errors."""
import threading

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from harness import protos, until  # noqa: F401  (protos makes grpc.reflection importable)
from grpc.reflection.v1 import reflection_pb2 as v1
from grpc.reflection.v1alpha import reflection_pb2 as v1alpha

Code = grpc.StatusCode
WAIT = 30
SERVICES = ["bursar.v1.Admin", "bursar.v1.Limiter", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"]


def message_class(pool, name):
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


class Stranger:
    """Has nothing but the reflection protocol: one stream, and a pool of what it was told."""

    def __init__(self, channel, pb=v1):
        package = pb.DESCRIPTOR.package
        self.channel, self.pb, self.pool, self.files = channel, pb, descriptor_pool.DescriptorPool(), set()
        self.questions, self.asked = [], threading.Condition()
        self.answers = channel.stream_stream(f"/{package}.ServerReflection/ServerReflectionInfo",
                                             request_serializer=lambda message: message.SerializeToString(),
                                             response_deserializer=pb.ServerReflectionResponse.FromString)(self._requests(), timeout=WAIT)

    def _requests(self):
        while True:
            with self.asked:
                self.asked.wait_for(lambda: self.questions)
                question = self.questions.pop(0)
            if question is None:
                return
            yield question

    def _put(self, question):
        with self.asked:
            self.questions.append(question)
            self.asked.notify()

    def ask(self, **question):
        self._put(self.pb.ServerReflectionRequest(host="here", **question))
        answer = next(self.answers)
        assert answer.valid_host == "here" and answer.original_request == self.pb.ServerReflectionRequest(host="here", **question)
        return answer

    def close(self):
        self._put(None)
        assert list(self.answers) == []
        return self.answers.code()

    def services(self):
        return sorted(service.name for service in self.ask(list_services="*").list_services_response.service)

    def learn(self, symbol):
        """All files with the symbol into the pool; their names."""
        answer = self.ask(file_containing_symbol=symbol)
        assert answer.HasField("file_descriptor_response"), answer
        files = {}
        for data in answer.file_descriptor_response.file_descriptor_proto:
            file = descriptor_pb2.FileDescriptorProto.FromString(data)
            files[file.name] = file

        def add(name):
            if name not in self.files:
                self.files.add(name)
                for imported in files[name].dependency:
                    add(imported)
                self.pool.Add(files[name])

        for name in files:
            add(name)
        return list(files)

    def call(self, service, method, **fields):
        """The answer of a unary method, by nothing but what was learned."""
        self.learn(service)
        found = self.pool.FindServiceByName(service).methods_by_name[method]
        request, response = message_class(self.pool, found.input_type.full_name), message_class(self.pool, found.output_type.full_name)
        return self.channel.unary_unary(f"/{service}/{method}", request_serializer=lambda message: message.SerializeToString(),
                                        response_deserializer=response.FromString)(request(**fields), timeout=WAIT)


@pytest.fixture(params=[v1, v1alpha], ids=["v1", "v1alpha"])
def stranger(request, bots):
    return Stranger(bots.channel, request.param)


def test_what_is_served_is_listed(stranger):
    assert stranger.services() == SERVICES
    assert stranger.close() == Code.OK


def test_one_stream_finds_out_all_that_a_call_needs(stranger):
    assert stranger.services() == SERVICES
    answer = stranger.call("bursar.v1.Limiter", "Check", user="ann", interface="web")
    assert answer.allowed and answer.reservation
    assert stranger.call("bursar.v1.Admin", "ListTiers").tiers
    assert stranger.call("grpc.health.v1.Health", "Check").status == 1
    assert stranger.close() == Code.OK


def test_every_file_comes_with_what_it_imports_and_each_once(stranger):
    names = stranger.learn("bursar.v1.Admin")
    assert names[0] == "bursar/v1/admin.proto" and "bursar/v1/types.proto" in names and len(names) == len(set(names))
    answer = stranger.ask(file_by_filename="google/rpc/status.proto")
    files = [descriptor_pb2.FileDescriptorProto.FromString(data) for data in answer.file_descriptor_response.file_descriptor_proto]
    assert [file.name for file in files] == ["google/rpc/status.proto", "google/protobuf/any.proto"]


def test_details_of_an_error_are_read_by_a_client_that_did_not_know_them(stranger):
    with pytest.raises(grpc.RpcError) as caught:
        stranger.call("bursar.v1.Limiter", "Check", user="a\nb")
    stranger.learn("google.rpc.Status")
    raw = dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
    status = message_class(stranger.pool, "google.rpc.Status").FromString(raw)
    names = [detail.type_url.rpartition("/")[2] for detail in status.details]
    assert "google.rpc.BadRequest" in names
    for name, detail in zip(names, status.details):
        stranger.learn(name)
        message = message_class(stranger.pool, name).FromString(detail.value)
        if name == "google.rpc.BadRequest":
            assert [violation.field for violation in message.field_violations] == ["user"]


def test_a_name_of_any_kind_leads_to_its_file(stranger):
    for symbol, file in (
            ("bursar.v1.Limiter.Check", "bursar/v1/limiter.proto"), ("bursar.v1.CheckRequest", "bursar/v1/limiter.proto"),
            ("bursar.v1.CheckRequest.user", "bursar/v1/limiter.proto"), ("bursar.v1.Dimension", "bursar/v1/types.proto"),
            ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
            ("google.rpc.BadRequest.FieldViolation", "google/rpc/error_details.proto"), ("google.protobuf.Any", "google/protobuf/any.proto")):
        assert stranger.learn(symbol)[0] == file, symbol


def test_what_there_is_not_is_said_and_the_stream_goes_on(stranger):
    questions = [{"file_containing_symbol": name} for name in (
        "", ".", "bursar", "bursar.v1", "bursar.v1.", "bursar.v1.Limit.", "bursar.v1.Limite", "bursar.v1.Limiters", "bursar.v1.Limiter.Chec",
        "bursar.v1.Limiter.Check.user", "bursar.v2.Limiter", "bursar.v1." + "x." * 5000)]
    questions += [{"file_by_filename": name} for name in ("", "limiter.proto", "/etc/passwd", "bursar/v1/limiter.prot")]
    questions += [{"all_extension_numbers_of_type": "bursar.v1.Limiter"},
                  {"file_containing_extension": {"containing_type": "bursar.v1.CheckRequest", "extension_number": 1}}]
    for question in questions:
        assert stranger.ask(**question).error_response.error_code == 5, question
    assert stranger.services() == SERVICES


def test_a_message_has_no_extensions(stranger):
    answer = stranger.ask(all_extension_numbers_of_type="bursar.v1.CheckRequest").all_extension_numbers_response
    assert answer.base_type_name == "bursar.v1.CheckRequest" and not answer.extension_number
    assert stranger.ask().error_response.error_code == 12


def test_nobody_needs_a_key_and_a_wrong_message_is_refused(bots):
    bots.admin.CreateKey(bots.admin_pb.CreateKeyRequest(role=5))
    assert Stranger(bots.channel).services() == SERVICES
    call = bots.channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")(iter([b"\xff\xff"]), timeout=WAIT)
    with pytest.raises(grpc.RpcError) as caught:
        next(call)
    assert caught.value.code() == Code.INVALID_ARGUMENT


def test_only_so_many_streams_are_held_and_those_who_leave_make_room(start_bursard):
    server = start_bursard(workers=1)
    with grpc.insecure_channel(server.grpc_addr) as channel:
        held = [Stranger(channel) for _ in range(100)]
        for one in held:
            one.services()
        with pytest.raises(grpc.RpcError) as caught:
            Stranger(channel).services()
        assert caught.value.code() == Code.RESOURCE_EXHAUSTED
        held[0].answers.cancel()
        assert held[1].close() == Code.OK

        def fits():
            try:
                return Stranger(channel).services()
            except grpc.RpcError as error:
                assert error.code() == Code.RESOURCE_EXHAUSTED
                return None

        until(fits, "room for another")
        for one in held[2:]:
            one.answers.cancel()


def test_a_stream_does_not_hold_up_a_stop(start_bursard):
    server = start_bursard(workers=1, drain_ms=600_000)
    with grpc.insecure_channel(server.grpc_addr) as channel:
        stranger = Stranger(channel)
        stranger.services()
        server.stop()
        with pytest.raises(grpc.RpcError) as caught:
            next(stranger.answers)
        assert caught.value.code() == Code.UNAVAILABLE
