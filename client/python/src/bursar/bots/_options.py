"""The options that all plugins have."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, TypedDict

from bursar.answers import Check
from bursar.bots.texts import Texts
from bursar.errors import invalid

SHORTEST_COOLDOWN_MS, LONGEST_COOLDOWN_MS = 1_000, 3_600_000
LONGEST_TELL_AGAIN_MS = 86_400_000


class BotOptions(TypedDict, total=False):
    """What `bursar_bot` takes by name. `event` is what the framework hands the handler: a message, an update, an interaction."""

    model: Callable[[Any], str] | str  #: whose price counts
    pool: str  #: requests wait in the queue of this pool; "" = they do not wait
    per: Literal["user", "chat", "both"]  #: whose limits count in a group chat; a private chat is its user
    user: Callable[[Any], str | None]  #: another name of the user than "telegram:17"; None = that one
    language: Callable[[Any], str | None]  #: another language than the user's own; None = that one
    input_tokens: Callable[[Any], int] | int  #: an estimate of what the request sends to the model
    max_output_tokens: Callable[[Any], int] | int  #: the most that the model may answer; 0 = the tier's default
    texts: Texts  #: replaces texts: {"en": {"queued": "Place {position}."}}
    upgrade_url: Callable[[Any], str] | str  #: where people get more: a button below denials and warnings leads there
    cooldown_ms: int  #: for how long a denial is not told again; default: until the request could pass, but a minute to an hour
    notice_ms: int  #: how long a request waits before its user is told its position; default: 1,000
    max_wait_ms: int  #: the longest wait in the queue; default: the pool's
    jobs_max: int  #: how many requests may be under way in this process; default: 1,000
    on_error: Callable[[Exception], object]  #: what went wrong in the plugin, at Bursar or at the messenger; default: logged


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """The same, with defaults."""

    model: str | Callable[[Any], str] = ""
    pool: str = ""
    per: str = "user"
    user: Callable[[Any], str | None] | None = None
    language: Callable[[Any], str | None] | None = None
    input_tokens: Callable[[Any], int] | int = 0
    max_output_tokens: Callable[[Any], int] | int = 0
    texts: Texts | None = None
    upgrade_url: Callable[[Any], str] | str = ""
    cooldown_ms: int | None = None
    notice_ms: int = 1_000
    max_wait_ms: int = 0
    jobs_max: int = 1_000
    on_error: Callable[[Exception], object] | None = None

    def __post_init__(self) -> None:
        if self.per not in ("user", "chat", "both"):
            raise invalid("per", f"must be 'user', 'chat' or 'both', not {self.per!r}")
        if self.jobs_max < 1:
            raise invalid("jobs_max", "must be above 0")

    def of(self, name: str, event: Any) -> Any:
        """An option that may be a function of the event."""
        value = getattr(self, name)
        return value(event) if callable(value) else value

    @property
    def tell_again_ms(self) -> int | None:
        """What the server is asked to keep of the cool-down: 0 is its own time; None: it is not asked, because it keeps none so short."""
        if self.cooldown_ms is None:
            return 0
        return min(self.cooldown_ms, LONGEST_TELL_AGAIN_MS) if self.cooldown_ms >= SHORTEST_COOLDOWN_MS else None

    def cooldown(self, check: Check) -> int:
        if self.cooldown_ms is not None:
            return self.cooldown_ms
        return max(SHORTEST_COOLDOWN_MS, min(check.retry_after_ms or LONGEST_COOLDOWN_MS, LONGEST_COOLDOWN_MS))
