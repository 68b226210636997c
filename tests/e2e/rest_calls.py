"""Calls RPCs over HTTP by the table of paths, from their request messages."""
import json
import re
from urllib.parse import quote, urlencode

from google.protobuf import json_format

from harness.paths import ROOT
from web import Door

PATHS = ROOT / "server" / "api" / "rest" / "paths.def"
ROW = re.compile(r'^(PATH|STREAM)\((\w+), (\w+), (\w+), "([^"]+)", (?:"([^"]+)"|NONE), ', re.MULTILINE)


class Row:
    """A row of the table of paths: an RPC's method, path and body."""

    def __init__(self, kind, service, rpc, method, path, body):
        self.streams, self.service, self.rpc, self.method, self.path, self.body = kind == "STREAM", service, rpc, method, path, body

    def request(self, message):
        """(path with its query, body) of the request that means the message."""
        fields = json_format.MessageToDict(message, preserving_proto_field_name=True)
        path = re.sub(r"\{([^}]+)\}", lambda variable: quote(take(message, fields, variable[1]), safe=""), self.path)
        if self.body == "*":
            return path, fields
        body = fields.pop(self.body, {}) if self.body else None
        query = urlencode(list(flat(fields)))
        return path + ("?" + query if query else ""), body


def take(message, fields, path):
    """The text of the field at a dotted path, which is taken out."""
    *above, name = path.split(".")
    for part in above:
        message, fields = getattr(message, part), fields.get(part, {})
    value = fields.pop(name, None)
    return str(getattr(message, name) if value is None else value)


def flat(fields, before=""):
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        else:
            for item in value if isinstance(value, list) else [value]:
                yield before + name, json.dumps(item) if isinstance(item, bool) else item


def rows():
    """All rows, in the table's order."""
    return [Row(*match) for match in ROW.findall(PATHS.read_text())]


class Rest:
    """Calls RPCs by their paths. rest(row, message) -> (status, JSON or None); of a stream, its first message."""

    def __init__(self, address, secret=None):
        self.door = Door(address, **({"Authorization": "Bearer " + secret} if secret else {}))

    def __call__(self, row, message):
        path, body = row.request(message)
        headers = self.door.headers | {"Accept": "application/x-ndjson"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = self.door.connect()
        try:
            connection.request(row.method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.readline() if row.streams else response.read()
            return response.status, json.loads(text) if text.strip() else None
        finally:
            connection.close()
