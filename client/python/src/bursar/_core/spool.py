"""Records that could not be delivered: a file each, in the order in which they came, until a server has answered them.

    <microseconds>-<request id>-<attempt>.json   proto3 JSON of a RecordRequest
    <microseconds>-<writer>-<number>.batch       bytes of a RecordBatchRequest that is on its way
    *.refused                                    the server does not take it
    *.bad                                        it cannot be read

The clients of all languages use the same format, and several may use one folder: a record that arrives twice is charged once.
"""
from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import time

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from bursar._core.ids import now_us
from bursar.errors import BursarError
from bursar.v1 import limiter_pb2

IN_MEMORY = 1_000  # records, when there is no folder
FRESH_S = 1.0  # how long what is known of a folder counts for its bounds


@dataclasses.dataclass
class Taken:
    """What is to be delivered next."""

    records: list[tuple[str, limiter_pb2.RecordRequest]] = dataclasses.field(default_factory=list)
    bad: list[str] = dataclasses.field(default_factory=list)  # put aside, as they cannot be read
    more: bool = False  # is waiting behind them


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

    def count(self) -> int:
        return len(self._records)

    def take(self, busy: set[str], records: int, size: int) -> Taken:
        waiting = [(name, record) for name, record in self._records.items() if name not in busy]
        taken = Taken()
        for name, record in waiting[:records]:
            size -= record.ByteSize()
            if size < 0 and taken.records:
                break
            taken.records.append((name, record))
        taken.more = len(waiting) > len(taken.records)
        return taken

    def remove(self, names: list[str]) -> None:
        for name in names:
            self._records.pop(name, None)

    def refuse(self, name: str) -> None:
        self.remove([name])


class Folder:
    """The spool on disk. Its methods block: they are called in threads, one at a time."""

    def __init__(self, directory: str, records: int, size: int) -> None:
        self._path = pathlib.Path(directory)
        self._most, self._most_bytes = records, size
        self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sizes: dict[str, int] = {}
        self._bytes = 0
        self._looked = -FRESH_S  # of time.monotonic()

    def put(self, record: limiter_pb2.RecordRequest) -> str:
        if time.monotonic() - self._looked > FRESH_S:
            self._look()
        data = _json(record)
        if len(self._sizes) >= self._most or self._bytes + len(data) > self._most_bytes:
            raise full(f"{len(self._sizes)} records of {self._bytes} bytes wait in {self._path}")
        name = name_of(record)
        self._write(name, data, sync=True)
        self._sync()
        self._sizes[name] = len(data)
        self._bytes += len(data)
        return name

    def write_batch(self, name: str, data: bytes, sync: bool) -> None:
        """A call's bytes, before it is made. Unless synced, they outlive the process but not the machine."""
        self._write(name, data, sync)
        if sync:
            self._sync()

    def sync_file(self, name: str) -> None:
        """Nothing when it is gone."""
        try:
            with open(self._path / name, "rb") as file:
                os.fsync(file.fileno())
        except FileNotFoundError:
            return
        self._sync()

    def remove_batch(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)

    def take_up(self) -> list[tuple[str, OSError | None]]:
        """Makes records that wait of those whose process died in the middle of a call. Such a process may be alive, if several share
        the folder: then its records arrive twice, and are charged once. Returns what is put aside, as it has no records, and what the
        disk does not let be taken up, with its error: that stays for the next start."""
        bad: list[tuple[str, OSError | None]] = []
        for path in sorted(self._path.glob("*.batch")):
            if known := re.fullmatch(r"(\d{16}-.+)\.batch", path.name):
                try:
                    self._take_up(path, known[1])
                except FileNotFoundError:
                    pass  # another process has taken it up
                except (DecodeError, ValueError):
                    os.rename(path, f"{path}.bad")
                    bad.append((path.name, None))
                except OSError as error:
                    bad.append((path.name, error))
        return bad

    def _take_up(self, path: pathlib.Path, stem: str) -> None:
        """The names are the same whoever does it."""
        items = limiter_pb2.RecordBatchRequest.FromString(path.read_bytes()).items
        if not items:
            raise ValueError("there are no records in it")
        for number, record in enumerate(items):
            self._write(f"{stem}.{number}-{record.attempt}.json", _json(without_lease(record)), sync=True)
        self._sync()
        path.unlink()

    def count(self) -> int:
        self._look()
        return len(self._sizes)

    def take(self, busy: set[str], records: int, size: int) -> Taken:
        """The oldest; also of what other processes put there."""
        self._look()
        waiting = sorted((name for name in self._sizes if name not in busy), key=_order)
        taken, seen = Taken(), 0
        for name in waiting[:records]:
            size -= self._sizes[name]
            if size < 0 and taken.records:
                break
            seen += 1
            try:
                record = json_format.Parse((self._path / name).read_bytes(), limiter_pb2.RecordRequest(), ignore_unknown_fields=True)
                taken.records.append((name, record))
            except FileNotFoundError:
                pass  # another process has delivered it
            except (json_format.ParseError, UnicodeDecodeError):
                self._rename(name, ".bad")
                taken.bad.append(name)
        taken.more = len(waiting) > seen
        return taken

    def remove(self, names: list[str]) -> None:
        for name in names:
            (self._path / name).unlink(missing_ok=True)
            self._bytes -= self._sizes.pop(name, 0)

    def refuse(self, name: str) -> None:
        self._rename(name, ".refused")

    def _look(self) -> None:
        self._looked, self._sizes = time.monotonic(), {}
        with os.scandir(self._path) as entries:
            for entry in entries:
                if entry.name.endswith(".json") and not entry.name.startswith("."):
                    try:
                        self._sizes[entry.name] = entry.stat().st_size
                    except FileNotFoundError:
                        pass  # another process has delivered it
        self._bytes = sum(self._sizes.values())

    def _rename(self, name: str, ending: str) -> None:
        try:
            os.rename(self._path / name, self._path / (name.removesuffix(".json") + ending))
        except FileNotFoundError:
            pass
        self._bytes -= self._sizes.pop(name, 0)

    def _write(self, name: str, data: bytes, sync: bool) -> None:
        """The file is whole or not there."""
        temporary = self._path / f".{name}.{os.getpid()}.tmp"
        with open(temporary, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.rename(temporary, self._path / name)

    def _sync(self) -> None:
        folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def without_lease(record: limiter_pb2.RecordRequest) -> limiter_pb2.RecordRequest:
    """A copy. A lease ends with its stream, long before a record that waits arrives."""
    kept = limiter_pb2.RecordRequest()
    kept.CopyFrom(record)
    if kept.HasField("reservation"):
        kept.ClearField("lease")
    return kept


def _json(record: limiter_pb2.RecordRequest) -> bytes:
    return json_format.MessageToJson(record, indent=None).encode()


def name_of(record: limiter_pb2.RecordRequest) -> str:
    """Ids may have any letters; a file's name has a few, and identifies nothing."""
    request_id = record.reservation.request_id or record.reservation.handle
    return f"{now_us():016}-{re.sub(r'[^A-Za-z0-9._-]', '_', request_id)[:100]}-{record.attempt}.json"


def _order(name: str) -> tuple[int, str]:
    micros = name.partition("-")[0]
    return int(micros) if micros.isdecimal() else 0, name


def full(what: str) -> BursarError:
    return BursarError(f"the spool is full: {what}", code="RESOURCE_EXHAUSTED", reason="SPOOL_FULL")
