"""Limits on everything: every field of every request, from the descriptors, with what it may not hold."""
import re

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor as Field
from google.rpc import error_details_pb2, status_pb2

from harness import protos
from harness.paths import ROOT

Code = grpc.StatusCode
NUMBER_MAX, TEXT_MOST, ITEMS_MAX, MESSAGE_MAX = 2**53 - 1, 1024, 1000, 1 << 20
LINE = re.compile(r"^FIELD\((\w+), (\w+), (\w+), ([^,]+), ([^)]+\)?)\)$", re.M)
# A batch's items are refused one by one, in the answer.
BATCHES = ("CheckBatchRequest", "RecordBatchRequest")


def number(text):
    return int(re.sub(r"INT64_C\((\d+)\)", r"\1", text))


def read_rules():
    """(message, field) -> (rule, least, most), from the table that the server is made of."""
    text = (ROOT / "server/api/message/fields.def").read_text()
    camel = lambda name: "".join(word.capitalize() for word in name.split("_"))
    return {(camel(message), field): (rule, number(least), number(most)) for message, field, rule, least, most in LINE.findall(text)}


RULES = read_rules()


def rule_of(field):
    return RULES.get((field.containing_type.name, field.name), ("", 0, 0))


def methods():
    """All to which callers send one message."""
    for pb, service in ((protos.limiter_pb2, "Limiter"), (protos.admin_pb2, "Admin")):
        yield from ((service, method) for method in pb.DESCRIPTOR.services_by_name[service].methods if not method.client_streaming)


def put(message, field, value):
    if field.label == Field.LABEL_REPEATED:
        getattr(message, field.name).extend(value)
    elif field.type == Field.TYPE_MESSAGE:
        getattr(message, field.name).CopyFrom(value)
    else:
        setattr(message, field.name, value)


def least_of(field):
    """The smallest value that a field with a rule may have; None: it may be left out."""
    rule, least, _ = rule_of(field)
    if field.label == Field.LABEL_REPEATED:
        return [sample(field)] * least if least else None
    if rule in ("ID", "NAME", "TRIMMED") or (rule == "TEXT" and least):
        return "x" * max(least, 1)
    if rule == "NUMBER" and least:
        return least
    if rule == "KNOWN":
        return 1
    return smallest(field.message_type) if rule == "NEEDED" else None


def sample(field):
    if field.type == Field.TYPE_MESSAGE:
        return smallest(field.message_type)
    return "x" if field.type == Field.TYPE_STRING else 1


def smallest(descriptor):
    message = protos_class(descriptor)()
    for field in descriptor.fields:
        value = least_of(field)
        if value is not None:
            put(message, field, value)
    return message


def protos_class(descriptor):
    for pb in (protos.limiter_pb2, protos.admin_pb2, protos.types_pb2, protos.alerts_pb2):
        if descriptor.name in pb.DESCRIPTOR.message_types_by_name:
            return getattr(pb, descriptor.name)
    raise AssertionError(descriptor.full_name)


def bad_texts(rule, least, most):
    if rule in ("ID", "ID_OR_NONE"):
        return ["x" * 129, "a\x01b", "a\x7f"] + ([""] if rule == "ID" else [])
    if rule in ("TRIMMED", "TRIMMED_OR_NONE", "INTERFACE_OR_NONE"):
        return [" " + "x" * 129, "a\x01b", "a\x7f", "   "] + ([""] if rule == "TRIMMED" else [])
    if rule in ("NAME", "NAME_OR_NONE"):
        return ["x" * 65, "No!"] + ([""] if rule == "NAME" else [])
    return ["x" * ((most if rule == "TEXT" else TEXT_MOST) + 1)] + (["x" * (least - 1)] if rule == "TEXT" and least else [])


def bad_numbers(field, rule, least, most):
    if rule not in ("NUMBER", "TTL"):
        return [-1] + ([NUMBER_MAX + 1] if field.type == Field.TYPE_INT64 else [])
    return [-1 if rule == "TTL" else least - 1, most + 1] + ([least - 1] if rule == "TTL" and least > 1 else [])


def bad_values(field):
    rule, least, most = rule_of(field)
    if field.label == Field.LABEL_REPEATED:
        most = most if rule == "ITEMS" else ITEMS_MAX
        return [[sample(field)] * (most + 1)] + ([[]] if rule == "ITEMS" and least else [])
    if field.type == Field.TYPE_STRING:
        return bad_texts(rule, least, most)
    if field.type in (Field.TYPE_INT64, Field.TYPE_INT32):
        return bad_numbers(field, rule, least, most)
    if field.type == Field.TYPE_ENUM:
        return [4711] + ([0] if rule == "KNOWN" else [])
    return [None] if rule == "NEEDED" else []


def changed(message, field, value):
    copy = type(message)()
    copy.CopyFrom(message)
    copy.ClearField(field.name)
    if value is not None:
        put(copy, field, value)
    return copy


def spoilt(descriptor):
    """(message, path): requests in which one field is wrong, at any depth, and the rest is right."""
    whole = smallest(descriptor)
    for field in descriptor.fields:
        for value in bad_values(field):
            yield changed(whole, field, value), field.name
        if field.label == Field.LABEL_REPEATED and field.type == Field.TYPE_STRING:
            yield changed(whole, field, ["x", "y" * (TEXT_MOST + 1)]), field.name + "[1]"
        elif field.label == Field.LABEL_REPEATED and field.type == Field.TYPE_ENUM:
            yield changed(whole, field, [1, 4711]), field.name + "[1]"
        elif field.type == Field.TYPE_MESSAGE and descriptor.name not in BATCHES:
            many = field.label == Field.LABEL_REPEATED
            for part, path in spoilt(field.message_type):
                yield changed(whole, field, [part] if many else part), f"{field.name}{'[0]' if many else ''}.{path}"


def answer(bots, service, method, request):
    call = getattr(bots.limiter if service == "Limiter" else bots.admin, method.name)(request, timeout=30)
    if hasattr(call, "cancel"):
        for call in call:
            pass
    return call


def refusal(bots, service, method, request):
    """(code, field): what the server says of it."""
    with pytest.raises(grpc.RpcError) as caught:
        answer(bots, service, method, request)
    details = dict(caught.value.trailing_metadata()).get("grpc-status-details-bin", b"")
    for packed in status_pb2.Status.FromString(details).details:
        found = error_details_pb2.BadRequest()
        if packed.Unpack(found):
            return caught.value.code(), found.field_violations[0].field
    return caught.value.code(), None


def test_every_field_of_every_request_refuses_what_it_may_not_hold(bots, stack):
    tried, wrong = 0, []
    for service, method in methods():
        for request, path in spoilt(method.input_type):
            tried += 1
            try:
                said = refusal(bots, service, method, request)
            except BaseException as error:  # noqa: B902: pytest's own failure of `raises`
                said = repr(error)[:80]
            if request.ByteSize() > MESSAGE_MAX and said == (Code.RESOURCE_EXHAUSTED, None):
                continue  # a field that may fill a message: gRPC itself has refused it
            if said != (Code.INVALID_ARGUMENT, path):
                wrong.append(f"{method.name}: {path}: {said}")
    assert not wrong, f"{len(wrong)} of {tried}: " + "\n".join(wrong[:40])
    assert tried > 600
    with stack.sql() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM audit_log), (SELECT count(*) FROM accounts), (SELECT count(*) FROM ledger)")
        assert cursor.fetchone() == (0, 0, 0)


def test_an_item_of_a_batch_is_refused_alone_and_says_its_field(bots):
    pb = bots.limiter_pb
    good = bots.request("ann")
    items = [good] + [part for part, _ in spoilt(pb.CheckRequest.DESCRIPTOR)]
    said = bots.limiter.CheckBatch(pb.CheckBatchRequest(items=items), timeout=30).items
    assert said[0].response.allowed
    assert [item.error.field for item in said[1:]] == [path for _, path in spoilt(pb.CheckRequest.DESCRIPTOR)]
    assert {item.error.code for item in said[1:]} == {Code.INVALID_ARGUMENT.value[0]}


def test_an_item_of_a_stream_is_refused_alone_and_says_its_field(bots):
    pb, parts = bots.limiter_pb, list(spoilt(bots.limiter_pb.StreamedCheck.DESCRIPTOR))
    messages = []
    for number, (part, _) in enumerate(parts):
        part.id = number
        messages.append(pb.CheckStreamRequest(items=[part, pb.StreamedCheck(id=len(parts) + number, check=bots.request("ann"))]))
    assert len(parts) > 30
    said = {item.id: item for answer in bots.limiter.CheckStream(iter(messages), timeout=60) for item in answer.items}
    assert len(said) == 2 * len(parts) and all(said[len(parts) + number].HasField("response") for number in range(len(parts)))
    assert [said[number].error.field for number in range(len(parts))] == [path for _, path in parts]
    assert {said[number].error.code for number in range(len(parts))} == {Code.INVALID_ARGUMENT.value[0]}


@pytest.mark.parametrize("user", [b"\xff\xfe", b"a\x00b", b"\xed\xa0\x80"])
def test_what_is_no_text_in_an_item_is_refused_alone(bots, user):
    check = b"\x12" + bytes([len(user)]) + user
    item = b"\x08\x07\x12" + bytes([len(check)]) + check
    call = bots.channel.stream_stream("/bursar.v1.Limiter/CheckStream", request_serializer=lambda data: data,
                                      response_deserializer=bots.limiter_pb.CheckStreamResponse.FromString)
    (answer,) = next(call(iter([b"\x0a" + bytes([len(item)]) + item]), timeout=20)).items
    assert (answer.id, answer.error.code, answer.error.field) == (7, Code.INVALID_ARGUMENT.value[0], "check.user")


@pytest.mark.parametrize("user", [b"\xff\xfe", b"a\x00b", b"\xed\xa0\x80"])
def test_what_is_no_text_is_refused(bots, user):
    raw = b"\x12" + bytes([len(user)]) + user
    call = bots.channel.unary_unary("/bursar.v1.Limiter/Check", request_serializer=lambda data: data, response_deserializer=lambda data: data)
    with pytest.raises(grpc.RpcError) as caught:
        call(raw, timeout=10)
    assert caught.value.code() == Code.INVALID_ARGUMENT and "user" in caught.value.details()


def test_nesting_without_end_and_bytes_that_are_no_message_are_refused(bots):
    deep = b""
    for _ in range(2000):
        deep = b"\x0a" + varint(len(deep)) + deep
    call = bots.channel.unary_unary("/bursar.v1.Admin/PutAccount", request_serializer=lambda data: data, response_deserializer=lambda data: data)
    for raw in (deep, b"\x0a\xff\xff\xff\xff\x7f", b"\xff" * 100):
        with pytest.raises(grpc.RpcError) as caught:
            call(raw, timeout=10)
        assert caught.value.code() == Code.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as caught:
        call(b"\x0a" + varint(2 << 20) + b"x" * (2 << 20), timeout=10)
    assert caught.value.code() == Code.RESOURCE_EXHAUSTED


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])
