"""Makes the Python modules of proto/ below src/bursar. It runs when the package is built; `python hatch_build.py` runs it alone."""
from __future__ import annotations

import json
import pathlib
import pprint
import re
import tempfile
from typing import Any

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run alone
    BuildHookInterface = object  # type: ignore[assignment,misc]

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE / "src"
PROTOS = ["bursar/v1/types.proto", "bursar/v1/alerts.proto", "bursar/v1/limiter.proto", "bursar/v1/admin.proto", "bursar/details.proto"]
MADE = '"""Made from {name} when the package was built."""\n'
# protoc's own Python modules refuse any protobuf that is older than protoc; the public interface does not.
MODULE = MADE + """from google.protobuf import descriptor_pool as _pool
from google.protobuf import message_factory as _factory
{imports}
_pool.Default().AddSerializedFile(
    {data!r}
)
DESCRIPTOR = _pool.Default().FindFileByName({name!r})
{members}
"""
SERVICES = '''"""The services of bursar.v1, a method for each RPC. Made from proto/bursar/v1 when the package was built."""
from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol, TypeVar

from google.protobuf.message import Message

from bursar.v1 import admin_pb2, alerts_pb2, limiter_pb2

_Answer = TypeVar("_Answer", bound=Message)


class Calls(Protocol):
    """What makes the calls."""

    async def unary(self, method: str, request: Message, answer: type[_Answer]) -> _Answer: ...

    def stream(self, method: str, request: Message, answer: type[_Answer]) -> AsyncIterator[_Answer]: ...


class BlockingCalls(Protocol):
    """What makes the calls and waits for them."""

    def unary(self, method: str, request: Message, answer: type[_Answer]) -> _Answer: ...

    def stream(self, method: str, request: Message, answer: type[_Answer]) -> Iterator[_Answer]: ...
'''
CLASS = '''

class {name}:
    """{about}

    Each method takes the request as a message, or its fields by name."""

    def __init__(self, calls: {calls}) -> None:
        self._calls = calls
'''
UNARY = '''
    {async_}def {name}(self, request: {module}.{input} | None = None, /, **fields: Any) -> {module}.{output}:
        """{about}"""
        message = {module}.{input}(**fields) if request is None else request
        return {await_}self._calls.unary("/{service}/{method}", message, {module}.{output})
'''
STREAM = '''
    def {name}(self, request: {module}.{input} | None = None, /, **fields: Any) -> {iterator}[{module}.{output}]:
        """{about}"""
        message = {module}.{input}(**fields) if request is None else request
        return self._calls.stream("/{service}/{method}", message, {module}.{output})
'''
ABOUT = {"Limiter": "bursar.v1.Limiter as it is. The methods of Bursar do more: gathering, the spool, the fail policy.",
         "Admin": "bursar.v1.Admin: accounts, tiers, prices, pools, keys, reports."}


def protos() -> pathlib.Path:
    """The folder with bursar/v1: in a source package its own, in the repository the common one."""
    return next(path for path in (HERE / "proto", HERE.parent.parent / "proto") if (path / "bursar" / "v1").is_dir())


def described() -> list[descriptor_pb2.FileDescriptorProto]:
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "set"
        argv = ["protoc", f"-I{protos()}", f"-I{SOURCE}", f"--descriptor_set_out={out}", "--include_source_info", f"--pyi_out={SOURCE}",
                *PROTOS]
        if protoc.main(argv) != 0:
            raise RuntimeError("protoc failed: " + " ".join(argv))
        return list(descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file)


def module_of(proto: str) -> str:
    return proto.removesuffix(".proto").replace("/", ".") + "_pb2"


def message_module(file: descriptor_pb2.FileDescriptorProto) -> str:
    members = []
    for message in file.message_type:
        members.append(f"{message.name} = _factory.GetMessageClass(DESCRIPTOR.message_types_by_name[{message.name!r}])")
    if file.enum_type:
        members.insert(0, "from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper as _Enum")
    for enum in file.enum_type:
        members.append(f"{enum.name} = _Enum(DESCRIPTOR.enum_types_by_name[{enum.name!r}])")
        members.extend(f"{value.name} = {value.number}" for value in enum.value)
    imports = "".join(f"from {module_of(name).rpartition('.')[0]} import {module_of(name).rpartition('.')[2]} as _{number}  # noqa: F401\n"
                      for number, name in enumerate(file.dependency))
    bare = descriptor_pb2.FileDescriptorProto()
    bare.CopyFrom(file)
    bare.ClearField("source_code_info")
    return MODULE.format(name=file.name, imports=imports, data=bare.SerializeToString(deterministic=True), members="\n".join(members))


def comments(file: descriptor_pb2.FileDescriptorProto) -> dict[tuple[int, int], str]:
    """(service, method): its comment in the proto file, on one line."""
    found = {}
    for place in file.source_code_info.location:
        if len(place.path) == 4 and place.path[0] == 6 and place.path[2] == 2:
            text = " ".join((place.trailing_comments or place.leading_comments).split())
            found[place.path[1], place.path[3]] = text.replace("\\", "\\\\").replace('"""', "'''")
    return found


def sentence(text: str, name: str) -> str:
    text = text or f"The RPC {name}."
    text = text[0].upper() + text[1:]
    return text if text.endswith(".") else text + "."


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def service_class(file: descriptor_pb2.FileDescriptorProto, number: int, blocking: bool) -> str:
    service, said, module = file.service[number], comments(file), module_of(file.name).rpartition(".")[2]
    text = CLASS.format(name=("Blocking" if blocking else "") + service.name, about=ABOUT[service.name],
                        calls="BlockingCalls" if blocking else "Calls")
    for place, method in enumerate(service.method):
        if method.client_streaming:  # the client has no calls to which the caller sends a stream
            continue
        names = {"name": snake(method.name), "module": module, "service": f"{file.package}.{service.name}", "method": method.name,
                 "about": sentence(said.get((number, place), ""), method.name), "async_": "" if blocking else "async ",
                 "await_": "" if blocking else "await ", "iterator": "Iterator" if blocking else "AsyncIterator"}
        for key, kind in (("input", method.input_type), ("output", method.output_type)):
            names[key] = kind.rpartition(".")[2]
        text += (STREAM if method.server_streaming else UNARY).format(**names)
    return text


def where_defined(files: list[descriptor_pb2.FileDescriptorProto], text: str) -> str:
    """Messages of another file than the service's are found in their own module."""
    for file in files:
        module = module_of(file.name).rpartition(".")[2]
        for message in file.message_type:
            text = re.sub(rf"\b(?:admin_pb2|limiter_pb2)\.{message.name}\b", f"{module}.{message.name}", text)
    return text


def strict(stub: str) -> str:
    """protoc's stubs have types without parameters, which `mypy --strict` does not take."""
    head, mark, rest = stub.partition("\nDESCRIPTOR")
    return head + "\nfrom typing import Any as _Any\n" + mark + re.sub(r"_Mapping\b(?!\[)", "_Mapping[str, _Any]", rest)


RULE = '''"""The numbers of client/estimate/rule.json. Made when the package was built."""
from __future__ import annotations

from typing import Any

RULE: dict[str, Any] = {rule}
'''


def make_rule() -> None:
    folder = next(path for path in (HERE / "estimate", HERE.parent / "estimate") if path.is_dir())
    rule = json.loads((folder / "rule.json").read_text(encoding="utf-8"))
    text = RULE.format(rule=pprint.pformat(rule, width=140, sort_dicts=False))
    (SOURCE / "bursar" / "_rule.py").write_text(text, encoding="utf-8")


def make() -> None:
    make_rule()
    files = described()
    for file in files:
        stub = SOURCE / (file.name.removesuffix(".proto") + "_pb2.pyi")
        stub.write_text(strict(stub.read_text(encoding="utf-8")), encoding="utf-8")
        (SOURCE / (file.name.removesuffix(".proto") + "_pb2.py")).write_text(message_module(file), encoding="utf-8")
    (SOURCE / "bursar" / "v1" / "__init__.py").write_text('"""The messages of bursar.v1. Made when the package was built."""\n', encoding="utf-8")
    versioned = [file for file in files if file.package == "bursar.v1"]
    text = "".join(service_class(file, number, blocking)
                   for blocking in (False, True) for file in versioned for number in range(len(file.service)))
    (SOURCE / "bursar" / "services.py").write_text(SERVICES + where_defined(versioned, text), encoding="utf-8")


class StubsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatch's hook."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            make()


if __name__ == "__main__":
    make()
