"""What Discord's calls and answers look like on the wire."""
import base64
import json

from aiohttp import web


def bot_id(token):
    """Discord's tokens begin with the id in base64; of any other token an id is made."""
    try:
        told = base64.b64decode(token.split(".")[0] + "==").decode()
        return told if told.isdigit() else str(900_000 + sum(token.encode()))
    except ValueError:
        return str(900_000 + sum(token.encode()))


def answer(status, body=None, headers=None):
    """As Discord sends it: exactly application/json, with Via."""
    base = {"Via": "1.1 google"} | (headers or {})
    if body is None:
        return web.Response(status=status, headers=base)
    return web.Response(status=status, body=json.dumps(body).encode(), headers=base | {"Content-Type": "application/json"})


def refusal(status, code, text):
    return answer(status, {"message": text, "code": code})


async def body_of(request):
    """JSON, or the part payload_json of a form, which both libraries send with files."""
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        return json.loads(form["payload_json"]) if "payload_json" in form else {}
    text = await request.text()
    return json.loads(text) if text else {}
