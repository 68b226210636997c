"""What the plugins of aiogram and python-telegram-bot have in common: a place in Telegram. Both bots have methods of the same names."""
from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from bursar.bots.engine import Button


# Who writes in the name of a group or a channel is one of these users to the Bot API, whoever they are.
ANONYMOUS = frozenset({1087968824, 136817688})
PRIVATE_EVERY_S, GROUP_EVERY_S = 2.0, 4.0  # a group takes 20 messages and edits a minute from a bot
ALERT_MAX = 200


@dataclasses.dataclass(slots=True)
class TelegramPlace:
    """An update of Telegram."""

    request_id: str
    user: str
    chat: str
    language: str
    event: Any
    bot: Any
    types: Any  #: the module that has the library's InlineKeyboardMarkup
    chat_id: int | None  #: None: an update without a chat, such as an inline query; then nothing is said
    hand_over: Callable[[Exception], Awaitable[None]]
    target: dict[str, Any]  #: of a message to this chat
    once: str
    board: str
    every_s: float
    pressed: str = ""  #: the callback query, which shows a clock until it is answered
    interface: str = "telegram"
    begin_after_s: float | None = None
    shown: int | None = None  #: the message about the queue

    async def say(self, text: str, button: Button | None) -> None:
        if self.chat_id is not None:
            await self._send(text, button)

    async def deny(self, text: str, button: Button | None, again: bool) -> None:
        if self.pressed:
            alert = {"text": text[:ALERT_MAX], "show_alert": True} if again else {}
            await self.bot.answer_callback_query(callback_query_id=self.pressed, **alert)
        if not again:
            await self.say(text, button)

    async def show(self, text: str) -> None:
        if self.chat_id is None:
            return
        if self.shown is None:
            self.shown = (await self._send(text, None)).message_id
        else:
            await self.bot.edit_message_text(chat_id=self.chat_id, message_id=self.shown, text=text, parse_mode=None)

    async def hide(self) -> None:
        if self.shown is not None:
            await self.bot.delete_message(chat_id=self.chat_id, message_id=self.shown)

    async def begin(self) -> None:
        """Nothing has to be answered first: a callback query is the handler's to answer."""

    async def failed(self, error: Exception) -> None:
        await self.hand_over(error)

    async def _send(self, text: str, button: Button | None) -> Any:
        """parse_mode: the bot's default would read the text as HTML."""
        keys = [[self.types.InlineKeyboardButton(text=button.text, url=button.url)]] if button else []
        more = {"reply_markup": self.types.InlineKeyboardMarkup(inline_keyboard=keys)} if keys else {}
        return await self.bot.send_message(text=text, parse_mode=None, **self.target, **more)


def place_of(update_id: int, event: Any, message: Any, sender: Any, bot: Any, types: Any,
             hand_over: Callable[[Exception], Awaitable[None]], pressed: str = "") -> TelegramPlace:
    """`message`: the one that the update brings or is about; None where it has none."""
    chat: Any = getattr(message, "chat", None)
    group = chat is not None and chat.type != "private"
    return TelegramPlace(
        request_id=f"tg-{bot.id}-{update_id}", user=_user(message, sender), chat=f"telegram-chat:{chat.id}" if group else "",
        language=getattr(sender, "language_code", None) or "", event=event, bot=bot, types=types,
        chat_id=chat.id if chat is not None else None, hand_over=hand_over, target=_target(chat, message, types, group),
        once=f"{bot.id}:{chat.id}" if chat is not None else "", board=f"{bot.id} {chat.id if chat is not None else ''}",
        every_s=GROUP_EVERY_S if group else PRIVATE_EVERY_S, pressed=pressed)


def _user(message: Any, sender: Any) -> str:
    as_chat = getattr(message, "sender_chat", None)
    if as_chat is not None and (sender is None or sender.id in ANONYMOUS):
        return f"telegram-chat:{as_chat.id}"
    return f"telegram:{sender.id}" if sender is not None else f"telegram-chat:{getattr(getattr(message, 'chat', None), 'id', 0)}"


def _target(chat: Any, message: Any, types: Any, group: bool) -> dict[str, Any]:
    """The same topic; in a group as a reply, so that it is visible whom the bot means."""
    if chat is None:
        return {}
    target: dict[str, Any] = {"chat_id": chat.id}
    if group:
        target["reply_parameters"] = types.ReplyParameters(message_id=message.message_id, allow_sending_without_reply=True)
    if getattr(message, "is_topic_message", None):
        target["message_thread_id"] = message.message_thread_id
    if getattr(message, "business_connection_id", None):
        target["business_connection_id"] = message.business_connection_id
    return target
