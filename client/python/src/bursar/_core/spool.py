"""Records that could not be delivered: a file each, in the order in which they came, until a server has answered them.

    <microseconds>-<request id>-<attempt>.json   proto3 JSON of a RecordRequest
    *.refused                                    the server does not take it
    *.bad                                        it cannot be read

The clients of all languages use the same format, and several may use one folder: a record that arrives twice is charged once.
"""
from __future__ import annotations

import os
import pathlib
import re

from google.protobuf import json_format

from bursar._core.ids import now_us
from bursar.errors import BursarError
from bursar.v1 import limiter_pb2

IN_MEMORY = 1_000  # records, when there is no folder


class Memory:
    """The spool of a client without a folder. Its records are gone when the process ends."""

    def __init__(self, records: int = IN_MEMORY) -> None:
        self._most = records
        self._records: dict[str, limiter_pb2.RecordRequest] = {}

    def put(self, record: limiter_pb2.RecordRequest) -> str:
        if len(self._records) >= self._most:
            raise full(f"{self._most} records wait")
        name = name_of(record)
        self._records[name] = record
        return name

    def names(self) -> list[str]:
        return list(self._records)

    def read(self, name: str) -> limiter_pb2.RecordRequest | None:
        return self._records.get(name)

    def remove(self, name: str) -> None:
        self._records.pop(name, None)

    def refuse(self, name: str) -> None:
        self._records.pop(name, None)


class Folder:
    """The spool on disk. Its methods block: they are called in threads, one at a time."""

    def __init__(self, directory: str, records: int, size: int) -> None:
        self._path = pathlib.Path(directory)
        self._most, self._most_bytes = records, size
        self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sizes: dict[str, int] = {}

    def put(self, record: limiter_pb2.RecordRequest) -> str:
        data = json_format.MessageToJson(record, indent=None).encode()
        self.names()
        if len(self._sizes) >= self._most or sum(self._sizes.values()) + len(data) > self._most_bytes:
            raise full(f"{len(self._sizes)} records of {sum(self._sizes.values())} bytes wait in {self._path}")
        name = name_of(record)
        temporary = self._path / f".{name}.{os.getpid()}"
        with open(temporary, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, self._path / name)
        self._settle()
        self._sizes[name] = len(data)
        return name

    def names(self) -> list[str]:
        """All that wait, the oldest first; also what other processes put there."""
        self._sizes = {}
        with os.scandir(self._path) as entries:
            for entry in entries:
                if entry.name.endswith(".json") and not entry.name.startswith("."):
                    try:
                        self._sizes[entry.name] = entry.stat().st_size
                    except FileNotFoundError:
                        pass  # another process has delivered it
        return sorted(self._sizes, key=_order)

    def read(self, name: str) -> limiter_pb2.RecordRequest | None:
        """None when it is gone or cannot be read."""
        path = self._path / name
        try:
            return json_format.Parse(path.read_bytes(), limiter_pb2.RecordRequest(), ignore_unknown_fields=True)
        except FileNotFoundError:
            return None
        except (json_format.ParseError, UnicodeDecodeError):
            self._rename(name, ".bad")
            return None

    def remove(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)
        self._sizes.pop(name, None)

    def refuse(self, name: str) -> None:
        self._rename(name, ".refused")

    def _rename(self, name: str, ending: str) -> None:
        try:
            os.rename(self._path / name, self._path / (name.removesuffix(".json") + ending))
        except FileNotFoundError:
            pass
        self._sizes.pop(name, None)

    def _settle(self) -> None:
        folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def name_of(record: limiter_pb2.RecordRequest) -> str:
    """Ids may have any letters; a file's name has a few, and identifies nothing."""
    request_id = record.reservation.request_id or record.reservation.handle
    return f"{now_us():016}-{re.sub(r'[^A-Za-z0-9._-]', '_', request_id)[:100]}-{record.attempt}.json"


def _order(name: str) -> tuple[int, str]:
    micros = name.partition("-")[0]
    return int(micros) if micros.isdecimal() else 0, name


def full(what: str) -> BursarError:
    return BursarError(f"the spool is full: {what}", code="RESOURCE_EXHAUSTED", reason="SPOOL_FULL")
