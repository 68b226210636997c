"""JSON as server/api/json writes and reads it, compared with google.protobuf's json_format in both directions."""
import json
import math
import random
import subprocess

import pytest
from google.protobuf import any_pb2, descriptor_pb2, duration_pb2, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor as Field
from grpc_tools import protoc
from harness import protos
from harness.paths import ROOT, build

from google.rpc import error_details_pb2, status_pb2  # harness.protos has made them

NUMBERS = {
    Field.TYPE_INT32: (-2**31, 2**31 - 1), Field.TYPE_SINT32: (-2**31, 2**31 - 1), Field.TYPE_SFIXED32: (-2**31, 2**31 - 1),
    Field.TYPE_INT64: (-2**63, 2**63 - 1), Field.TYPE_SINT64: (-2**63, 2**63 - 1), Field.TYPE_SFIXED64: (-2**63, 2**63 - 1),
    Field.TYPE_UINT32: (0, 2**32 - 1), Field.TYPE_FIXED32: (0, 2**32 - 1), Field.TYPE_UINT64: (0, 2**64 - 1), Field.TYPE_FIXED64: (0, 2**64 - 1),
}
TEXTS = ["", "ann", "\"\\/\b\f\n\r\t\x01\x1f\x7f", "äöü €", "😀\u2028\ufffd", "x" * 300, "</script>", "{\"a\":[1]}"]
FLOATS = [0.0, 0.5, -1.0, 16777216.0, 3.4e38, math.inf, -math.inf]  # json_format does not read the largest float that it writes
DOUBLES = [0.0, 0.1, -2.5, 1 / 3, 1e300, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, 2.0**53 + 2]


class Tool:
    """build/dev/tests/json_tool: one question and one answer a line."""

    def __init__(self):
        self.process = subprocess.Popen([build() / "tests" / "json_tool"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, command, name, rest):
        assert b"\n" not in rest
        self.process.stdin.write(b"%s %s %s\n" % (command, name.encode(), rest))
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip(b"\n").decode()

    def write(self, message):
        return self.ask(b"write", message.DESCRIPTOR.full_name, message.SerializeToString().hex().encode())

    def read(self, kind, text):
        """The message; the sentence of the error if it is refused."""
        answer = self.ask(b"read", kind.DESCRIPTOR.full_name, text.encode())
        return answer[2:] if answer.startswith("! ") else kind.FromString(bytes.fromhex(answer))


@pytest.fixture(scope="module")
def tool():
    tool = Tool()
    yield tool
    tool.process.stdin.close()
    assert tool.process.wait(60) == 0


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    """The class of the message that has a field of every type."""
    out = tmp_path_factory.mktemp("every") / "every.bin"
    assert protoc.main(["protoc", f"-I{ROOT}/tests", f"--descriptor_set_out={out}", "lib/every.proto"]) == 0
    files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    return message_factory.GetMessages(files)["bursar.test.Every"]


def parts_of(descriptor, found):
    if descriptor.full_name not in found:
        found[descriptor.full_name] = descriptor
        for field in descriptor.fields:
            if field.message_type:
                parts_of(field.message_type, found)


def classes():
    """The classes of all requests and answers of the API, and of their parts."""
    found = {}
    for module in (protos.limiter_pb2, protos.admin_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                parts_of(method.input_type, found)
                parts_of(method.output_type, found)
    return [descriptor._concrete_class for descriptor in found.values()]


def value_of(field, chance, depth):
    if field.type in NUMBERS:
        least, most = NUMBERS[field.type]
        return chance.choice([least, most, 0, 1, min(most, 2**53 + 1), chance.randint(least, most)])
    if field.type == Field.TYPE_MESSAGE:
        return filled(field.message_type._concrete_class, chance, depth + 1)
    return chance.choice({Field.TYPE_STRING: TEXTS, Field.TYPE_BOOL: [True, False], Field.TYPE_FLOAT: FLOATS, Field.TYPE_DOUBLE: DOUBLES,
                          Field.TYPE_BYTES: [b"", b"\0", b"\xfb\xff", b"\xfb\xff\x00~" * 9],
                          Field.TYPE_ENUM: field.enum_type and [value.number for value in field.enum_type.values]}[field.type])


def filled(kind, chance, depth=0):
    """A message of the class in which nearly every field is set."""
    message = kind()
    for field in kind.DESCRIPTOR.fields:
        if chance.random() < 0.1 or (field.message_type and depth > 2):
            continue
        if field.label == Field.LABEL_REPEATED:
            for _ in range(chance.randint(0, 3)):
                value = value_of(field, chance, depth)
                getattr(message, field.name).append(value)
        elif field.message_type:
            getattr(message, field.name).CopyFrom(value_of(field, chance, depth))
        else:
            setattr(message, field.name, value_of(field, chance, depth))
    return message


def samples(kind, count):
    chance = random.Random(kind.DESCRIPTOR.full_name)
    return [kind(), *(filled(kind, chance) for _ in range(count))]


def test_what_is_written_is_read_by_protobufs_own_reader(tool, every):
    for kind in [every, *classes()]:
        for message in samples(kind, 8):
            text = tool.write(message)
            assert json_format.Parse(text, kind()) == message, text


def test_what_protobufs_own_writer_writes_is_read(tool, every):
    for kind in [every, *classes()]:
        for number, message in enumerate(samples(kind, 8)):
            text = json_format.MessageToJson(message, including_default_value_fields=bool(number & 1), indent=None,
                                             preserving_proto_field_name=bool(number & 2), use_integers_for_enums=bool(number & 4),
                                             ensure_ascii=bool(number & 8))
            assert tool.read(kind, text) == message, text


def test_every_field_is_written_as_protobufs_own_writer_writes_it(tool, every):
    """Apart from how doubles are spelled: the same members, with the same values."""
    meters = ("bursar.v1.TokenUsage", "bursar.v1.TokenChange")
    for kind in [every, *classes()]:
        found = {}
        parts_of(kind.DESCRIPTOR, found)
        for message in samples(kind, 4):
            ours = json.loads(tool.write(message))
            theirs = json.loads(json_format.MessageToJson(message, including_default_value_fields=True, preserving_proto_field_name=True))
            if not any(name in found for name in meters):  # the unused ones are left out
                assert ours == theirs


def test_an_error_is_written_as_protobufs_own_writer_writes_it(tool):
    info = error_details_pb2.ErrorInfo(reason="NOT_FOUND", domain="bursar", metadata={"name": "gold \"1\"", "": ""})
    violation = error_details_pb2.BadRequest.FieldViolation(field="limits[2].amount", description="too large")
    bad = error_details_pb2.BadRequest(field_violations=[violation])
    for seconds, nanos in ((0, 0), (3, 0), (1, 500_000_000), (0, 1_000), (2, 7), (-1, -500_000_000)):
        retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=seconds, nanos=nanos))
        status = status_pb2.Status(code=5, message="no such tier")
        for detail in (info, bad, retry):
            packed = any_pb2.Any()
            packed.Pack(detail)
            status.details.append(packed)
        assert json.loads(tool.write(status)) == json_format.MessageToDict(status, preserving_proto_field_name=True,
                                                                           including_default_value_fields=True)


FIELDS = ["int32", "int64", "uint32", "uint64", "float", "double", "bool", "string", "bytes", "colour", "plain", "every", "list", "strings", "int64s",
          "colours", "a_part", "wait_us"]
VALUES = ["0", "-0", "1", "-1", "1.0", "1e3", "1E+3", "10e-1", "1.5", "1e-1", "2147483647", "2147483648", "-2147483648", "-2147483649",
          "4294967295", "4294967296", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
          "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1e400", "1e39", "\"1\"", "\"-1\"", "\"1.0\"", "\"1.5\"", "\"\"",
          "\" 1\"", "\"1 \"", "\"0x1\"", "\"9007199254740993\"", "\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "\"inf\"", "true", "false", "\"true\"", "null",
          "{}", "[]", "[null]", "[1]", "[[]]", "[{}]", "[\"a\"]", "[\"COLOUR_RED\"]", "{\"int32\":1}", "{\"nothing\":1}", "{\"a\":1,\"a\":2}",
          "\"COLOUR_RED\"", "\"COLOUR_PINK\"", "\"SOME\"", "-2", "77", "\"YQ==\"", "\"YQ\"", "\"-_8=\"", "\"+/8\"", "\"a\"", "\"\\u00e4\"", "\"\\ud83d\\ude00\""]

# What json_format takes and Bursar refuses: it converts with Python's float(), int() and a base64 that skips what is none.
LOOSE_ENUM = ["1.5", "1e-1", "4294967296", "9007199254740993", "-9223372036854775808", "-9223372036854775809", "\"9007199254740993\"", "\" 1\"", "\"1 \"",
              "true", "false"]
LOOSE_FLOAT = ["\" 1\"", "\"1 \"", "\"inf\"", "true", "false"]
LOOSER = {"colour": LOOSE_ENUM, "plain": LOOSE_ENUM, "float": LOOSE_FLOAT, "double": LOOSE_FLOAT, "every": ["\"\"", "[]"], "a_part": ["\"\"", "[]"],
          "list": ["[[]]"], "bytes": ["\"-1\"", "\"0x1\"", "\"NaN\"", "\"inf\"", "\"COLOUR_RED\"", "\"COLOUR_PINK\"", "\"\\u00e4\"",
                                      "\"\\ud83d\\ude00\""]}
WHOLE = ["int32", "int64", "uint32", "uint64", "wait_us", "colour", "plain"]  # these take "1.0" as they take 1.0


def outcome(read, *args):
    """The message that is read; None if it is refused."""
    try:
        message = read(*args)
    except (json_format.ParseError, OverflowError):
        return None
    return None if isinstance(message, str) else message


@pytest.mark.parametrize("field", FIELDS)
def test_a_value_is_taken_or_refused_as_by_protobufs_own_reader(tool, every, field):
    looser, stricter = [], []
    for value in VALUES:
        text = f'{{"{field}":{value}}}'
        ours, theirs = outcome(tool.read, every, text), outcome(json_format.Parse, text, every())
        if ours is None and theirs is not None:
            looser.append(value)
        elif theirs is None and ours is not None:
            stricter.append(value)
        else:
            assert repr(ours) == repr(theirs)  # NaN is not equal to itself
    assert sorted(looser) == sorted(LOOSER.get(field, []))
    assert stricter == ["\"1.0\""] * (field in WHOLE)
