"""HTTP clients of the tests."""
import http.client
import json


class Door:
    """An HTTP client of one bursard, over TLS with an ssl.SSLContext. answer = door("GET", "/v1/tiers"); answer.status, .headers, .json."""

    def __init__(self, address, tls=None, **headers):
        self.address, self.tls, self.headers = address, tls, headers

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection(self.address, timeout=20, context=self.tls)
        return http.client.HTTPConnection(self.address, timeout=20)

    def __call__(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in (self.headers | headers).items()}
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.text = response.read().decode()
            response.json = json.loads(response.text) if response.headers.get_content_type() == "application/json" else None
            return response
        finally:
            connection.close()


def key_of(bots, role, **fields):
    """The secret of a new key of the role (1 user, 2 bot, ... 5 operator), and an operator's; from then on every call needs one."""
    pb = bots.admin_pb
    operator = bots.admin.CreateKey(pb.CreateKeyRequest(role=5, label="ops"), timeout=20).secret
    metadata = (("authorization", f"Bearer {operator}"),)
    request = pb.CreateKeyRequest(role=role, tenant="default", **fields)
    return bots.admin.CreateKey(request, metadata=metadata, timeout=20).secret, operator
