"""Estimates how many tokens a text has, without a tokenizer's tables: within 25% of o200k for prose, code and JSON. docs/clients-llm.md
explains the rule; its numbers are client/estimate/rule.json, which the clients in other languages read too. Nothing is ever fetched."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bursar._rule import RULE

_SPACES = r"\t-\r \x85\xa0\u2000-\u200a\u2028\u2029\u3000"
_LATIN = ("latin", "accented", "vietnamese")  # a word is of the last one that one of its letters is in
# A long unbroken run of letters and digits: of these characters, and where it changes as words seldom do.
_RUN = re.compile(r"[0-9A-Za-z][-0-9A-Za-z+/=_]*")
_CHANGES = re.compile(r"(?<=[a-z])[A-Z]|(?<=[0-9])[A-Za-z]|(?<=[A-Za-z])[0-9]")
_PLAIN = re.compile(r"(?:[A-Za-z][a-z]* )+(?=[A-Za-z])")
# Members of a request that contain text of a conversation; Google's SDK has some of them under `config`.
_TEXTS = ("system", "systemInstruction", "system_instruction", "instructions", "messages", "input", "contents", "prompt")
_SCHEMAS = ("tools", "functions", "response_format", "responseSchema", "responseJsonSchema", "text", "output_config")
_STRUCTURE = frozenset(("role", "type", "id", "tool_call_id", "tool_use_id", "call_id", "cache_control", "status", "media_type", "mimeType"))
_IMAGES = frozenset(("image", "image_url", "input_image"))
_FILES = frozenset(("document", "file", "input_file", "input_audio", "audio", "video"))
_DATA = ("inlineData", "inline_data", "fileData", "file_data")


def _ranges(ranges: Iterable[Iterable[int]]) -> str:
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


class Estimator:
    """Estimates by one rule. The functions of this module use the shipped one."""

    def __init__(self, rule: Mapping[str, Any]) -> None:
        self._rule = rule
        self._words = {name: (int(one["covers"]), int(one["more"])) for name, one in rule["words"].items()}
        words = {name: _ranges(one["ranges"]) for name, one in rule["words"].items()}
        letters = "".join(words.values())
        known = letters + "".join(_ranges(one["ranges"]) for one in rule["characters"].values())
        latin = "".join(words[name] for name in _LATIN)
        pieces = [f"(?P<spaces>[{_SPACES}]+)", "(?P<digits>[0-9]+)",
                  # A Latin word ends where a small letter is followed by a capital.
                  f"(?P<word>[{latin}](?:(?![A-Z])[{latin}]|(?<![a-z])[A-Z])*)"]
        pieces += [f"(?P<{name}>[{ranges}]+)" for name, ranges in words.items() if name not in _LATIN]
        pieces += [f"(?P<{name}>(?:(?![{_SPACES}])[{_ranges(one['ranges'])}])+)" for name, one in rule["characters"].items()]
        pieces.append(f"(?P<marks>[^0-9{_SPACES}{known}]+)")
        self._pieces = re.compile("|".join(pieces))
        self._letter = re.compile(f"[{letters}]")
        self._kinds = [(name, re.compile(f"[{words[name]}]")) for name in reversed(_LATIN)]

    def tokens(self, text: str) -> int:
        """Estimated tokens of `text`."""
        at, cost, checked, after_mark = 0, 0, 0, False
        covers, more = self._words["latin"]
        while at < len(text):
            if plain := _PLAIN.match(text, at):  # most of English, at a fifth of the time
                words = plain[0].split()
                cost += len(words) * 1000 + sum(len(word) - covers for word in words if len(word) > covers) * more
                at, after_mark = plain.end(), False
                continue
            if at >= checked and (run := _RUN.match(text, at)):
                checked = run.end()
                if of_run := self._run(run[0]):
                    cost, at, after_mark = cost + of_run, checked, False
                    continue
            piece = self._pieces.match(text, at)
            assert piece  # the pieces are everything there is
            kind = piece.lastgroup or ""
            cost += self._cost(kind, piece, text, after_mark)
            at, after_mark = piece.end(), kind == "marks"
        return -(-cost // 1000)

    def _run(self, run: str) -> int:
        """Base64, hexadecimal, ids. 0 for what is none."""
        rule = self._rule["runs"]
        if len(run) < rule["length"] or len(_CHANGES.findall(run)) * 10 < len(run) * rule["changes_per_10"]:
            return 0
        return int(len(run) * rule["each"])

    def _cost(self, kind: str, piece: re.Match[str], text: str, after_mark: bool) -> int:
        found, rule = piece[0], self._rule
        if kind == "spaces":
            return self._spaces(found, text[piece.end():piece.end() + 1], after_mark)
        if kind == "digits":
            return -(-len(found) // int(rule["digits"]["group"])) * 1000
        if kind == "marks":
            return self._marks(found, text[piece.start() - 1:piece.start()], text, piece.end())
        if kind in rule["characters"]:
            return len(found) * int(rule["characters"][kind]["each"])
        if kind == "word":
            kind = "latin" if found.isascii() else next(name for name, letters in self._kinds if letters.search(found))
        covers, more = self._words[kind]
        return 1000 + max(0, len(found) - covers) * more

    def _spaces(self, found: str, following: str, after_mark: bool) -> int:
        """One space goes with the word that follows, but not with digits. Several are a token, and so are ends of lines, unless they follow
        a mark."""
        rule = self._rule["spaces"]
        lines_end = max(found.rfind("\n"), found.rfind("\r")) + 1
        cost = rule["lines"] if lines_end and not (after_mark and found[0] in "\r\n") else 0
        rest = len(found) - lines_end
        if rest > 1:
            cost += rule["several"]
        elif rest == 1 and following.isascii() and following.isdigit():
            cost += rule["before_digit"]
        return int(cost)

    def _marks(self, found: str, before: str, text: str, end: int) -> int:
        """Punctuation and everything else. A repeated mark counts once; a single one goes with the letters that follow it."""
        rule = self._rule["marks"]
        if len(found) == 1 and before != " " and self._letter.match(text, end):
            return int(rule["before_letter"])
        return int(rule["first"] + sum(a != b for a, b in zip(found, found[1:], strict=False)) * rule["more"])


_shipped = Estimator(RULE)


def estimate_tokens(text: str) -> int:
    """Estimated tokens of `text`, by the shipped rule."""
    return _shipped.tokens(text)


def estimate_request(body: Any, tokenizer: Callable[[str], int] = estimate_tokens) -> int:
    """How many input tokens a whole request to an LLM has, about: its messages, instructions and tools, in the shape of any provider.
    `tokenizer` takes the place of the rule for its texts."""
    cost = RULE["request"]
    if isinstance(body, str):
        return int(cost["reply"]) + tokenizer(body)
    if not isinstance(body, Mapping):
        return int(cost["reply"])
    config = body.get("config")
    parts = [body, config] if isinstance(config, Mapping) else [body]
    return int(cost["reply"]) + sum(_text(part.get(name), tokenizer) for part in parts for name in _TEXTS) + \
        sum(_schema(part.get(name), tokenizer) for part in parts for name in _SCHEMAS)


def _text(value: Any, tokenizer: Callable[[str], int]) -> int:
    """Of a conversation: every text in it, a flat figure for pictures and files, and something for each message."""
    cost = RULE["request"]
    if isinstance(value, str):
        return int(cost["file"]) if value.startswith("data:") else tokenizer(value)
    if isinstance(value, (list, tuple)):
        return sum(_text(one, tokenizer) for one in value)
    if not isinstance(value, Mapping):
        return 0
    data = next((value[name] for name in _DATA if value.get(name) is not None), None)
    mime = str(data.get("mimeType") or data.get("mime_type") or "") if isinstance(data, Mapping) else ""
    kind = value.get("type")
    if kind in _IMAGES or mime.startswith("image/"):
        return int(cost["image"])
    if kind in _FILES or data is not None:
        return int(cost["file"])
    texts = sum(_text(one, tokenizer) for name, one in value.items() if name not in _STRUCTURE)
    return texts + (int(cost["message"]) if "role" in value else 0)


def _schema(value: Any, tokenizer: Callable[[str], int]) -> int:
    """Of a schema: every name and value in it, and one token for what is between them."""
    if isinstance(value, str):
        return tokenizer(value) + 1
    if isinstance(value, (bool, int, float)):
        return 1
    if isinstance(value, (list, tuple)):
        return sum(_schema(one, tokenizer) for one in value)
    if isinstance(value, Mapping):
        return sum(tokenizer(str(name)) + 1 + _schema(one, tokenizer) for name, one in value.items())
    return 0
