"""The Python modules of proto/, made anew for every run.

    from harness.protos import limiter_pb2, limiter_pb2_grpc, admin_pb2, admin_pb2_grpc, types_pb2
"""
import importlib
import os
import sys

import google
import grpc
from grpc_tools import protoc

from .paths import ROOT
from .process import temp_dir


def _generate():
    out = temp_dir("protos")
    root = str(ROOT / "proto")
    files = [str(path.relative_to(root)) for path in sorted((ROOT / "proto").rglob("*.proto"))]
    includes = [root]
    for path in (os.path.join(os.path.dirname(protoc.__file__), "_proto"), "/usr/include"):
        if os.path.exists(os.path.join(path, "google", "protobuf", "any.proto")):
            includes.append(path)
    argv = ["protoc", *("-I" + path for path in includes), "--python_out=" + out, "--grpc_python_out=" + out, *files]
    if protoc.main(argv) != 0:
        raise RuntimeError("protoc failed: " + " ".join(argv))
    sys.path.insert(0, out)
    # Protos of third parties have the package paths of installed libraries: both are to be found under one name.
    for package in (google, grpc):
        package.__path__.append(os.path.join(out, package.__name__))


_generate()


def __getattr__(name):
    if name.endswith(("_pb2", "_pb2_grpc")):
        return importlib.import_module("bursar.v1." + name)
    raise AttributeError(name)
