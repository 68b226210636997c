"""discord.py 2: limits for a bot's messages, slash commands and text commands.

    limited = bursar_bot(bursar, model="gpt-5", pool="agent-execution")

    @tree.command()
    @limited
    async def ask(interaction: discord.Interaction, job: Job, text: str) -> None:
        response = await openai.chat.completions.create(...)
        job.usage(response)
        await interaction.edit_original_response(content=...)

    @client.event
    @limited
    async def on_message(message: discord.Message, job: Job) -> None:
        await message.reply(...)

The handler gets the job in the parameter of that name, which is no option of the command. An interaction has been deferred when its handler
begins: answer with `edit_original_response` or `followup.send`. Messages of bots are ignored. What the handler raises goes to discord.py's
errors, as ever: each of its events has a task of its own, in which the request waits.
"""
from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import typing
from collections.abc import Awaitable, Callable
from typing import Any, Unpack

from bursar import Bursar, Job
from bursar.bots._options import BotOptions, Options
from bursar.bots.engine import Button, Engine, Place

Handler = Callable[..., Awaitable[Any]]


def bursar_bot(bursar: Bursar, *, ephemeral: bool = False, ignore_bots: bool = True, **options: Unpack[BotOptions]) -> Limited:
    """A decorator; `event` of the options is the Message, the Interaction or the Context.

    `ephemeral`: only the user who gave a command sees its answer. `ignore_bots=False`: other bots' messages are answered too."""
    return Limited(Engine(bursar, Options(**options)), ephemeral, ignore_bots)


class Limited:
    """The decorator."""

    def __init__(self, engine: Engine, ephemeral: bool, ignore_bots: bool) -> None:
        self._engine, self._ephemeral, self._ignore_bots = engine, ephemeral, ignore_bots

    def __call__(self, handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def wrapper(*args: Any, **words: Any) -> None:
            place = self._place(_event(args))
            if place is None:
                return

            async def work(job: Job) -> None:
                await handler(*args, job=job, **words)

            task = self._engine.take(place, work)
            if task:
                await task
            if place.error:
                raise place.error

        wrapper.__signature__ = _signature(handler)  # type: ignore[attr-defined]
        return wrapper

    def _place(self, event: Any) -> DiscordPlace | None:
        """None: not for the bot."""
        library = _library()
        context = not isinstance(event, (library.Message, library.Interaction))
        interaction = event.interaction if context else event  # of a context: None, unless a slash command began it
        if isinstance(interaction, library.Interaction):
            return InteractionPlace(interaction, event, self._ephemeral)
        message = event.message if context else event
        own = message.guild.me if message.guild else getattr(message.channel, "me", None)
        if message.author.bot and (self._ignore_bots or message.author == own):
            return None
        return MessagePlace(message, event, own)

    async def close(self, grace_s: float = 10.0) -> None:
        """Before `client.close`: lets running jobs finish for a while, and gives back what the others hold."""
        await self._engine.close(grace_s)


def _signature(handler: Handler) -> inspect.Signature:
    """Without the job: discord.py makes a command's options of the parameters. It looks the types up in the module of the outermost
    function, which would be this one, so they are looked up here."""
    signature = inspect.signature(handler)
    try:
        types = typing.get_type_hints(handler, include_extras=True)
    except (NameError, TypeError):
        types = {}
    # Text commands want parameters of their own kind, which slash commands accept too.
    kind = importlib.import_module("discord.ext.commands").Parameter
    return signature.replace(parameters=[
        kind(name, parameter.kind, default=parameter.default, annotation=types.get(name, parameter.annotation))
        for name, parameter in signature.parameters.items() if name != "job"])


def _event(args: tuple[Any, ...]) -> Any:
    """The first argument, or in a method the second."""
    library = _library()
    known = [library.Message, library.Interaction]
    commands = importlib.import_module("discord.ext.commands")
    return next((one for one in args[:2] if isinstance(one, (*known, commands.Context))), args[0])


@functools.cache
def _library() -> Any:
    return importlib.import_module("discord")


class DiscordPlace(Place):
    """What messages and interactions have in common."""

    interface = "discord"
    every_s = 2.0
    begin_after_s: float | None = None

    def __init__(self, event: Any, request_id: str, user: Any, guild: bool, channel_id: int | None, locale: Any) -> None:
        self.event = event
        self.request_id = request_id
        self.user = f"discord:{user.id}"
        self.chat = f"discord-chat:{channel_id}" if guild else ""
        self.board = self.once = str(channel_id)
        self.language = str(locale) if locale else ""
        self.error: Exception | None = None  # what the handler raised

    async def failed(self, error: Exception) -> None:
        self.error = error


class MessagePlace(DiscordPlace):
    """A message, which the bot answers with messages."""

    def __init__(self, message: Any, event: Any, own: Any) -> None:
        guild = message.guild
        super().__init__(event, f"dc-{own.id if own else 0}-{message.id}", message.author, guild is not None, message.channel.id,
                         guild and guild.preferred_locale)
        self._message = message
        self._shown: Any = None

    async def say(self, text: str, button: Button | None) -> None:
        await self._reply(text, **_view(button))

    async def deny(self, text: str, button: Button | None, again: bool) -> None:
        if not again:
            await self.say(text, button)

    async def show(self, text: str) -> None:
        if self._shown is None:
            self._shown = await self._reply(text)
        else:
            await self._shown.edit(content=text)

    async def hide(self) -> None:
        if self._shown is not None:
            await self._shown.delete()

    async def begin(self) -> None:
        """Nothing has to be answered first."""

    async def _reply(self, text: str, **more: Any) -> Any:
        """Also if the user has deleted the message meanwhile."""
        reference = self._message.to_reference(fail_if_not_exists=False)
        return await self._message.channel.send(text, reference=reference, mention_author=False, **more)


class InteractionPlace(DiscordPlace):
    """An interaction. Discord wants an answer within 3 s: a refusal that comes early enough is one, which only the user sees; otherwise it
    is the promise of an answer, which becomes the position in the queue and then the handler's."""

    begin_after_s = 1.5

    def __init__(self, interaction: Any, event: Any, ephemeral: bool) -> None:
        super().__init__(event, f"dc-{interaction.application_id}-{interaction.id}", interaction.user, interaction.guild_id is not None,
                         interaction.channel_id, interaction.locale)
        self.board = f"{interaction.channel_id} {interaction.id}"  # Discord counts the edits of each for itself
        self.once = ""
        self._interaction = interaction
        self._ephemeral = ephemeral
        self._answering = asyncio.Lock()

    async def say(self, text: str, button: Button | None) -> None:
        await self.begin()
        await self._interaction.followup.send(text, ephemeral=True, **_view(button))

    async def deny(self, text: str, button: Button | None, again: bool) -> None:
        """Every interaction wants an answer."""
        async with self._answering:
            if not self._interaction.response.is_done():
                await self._interaction.response.send_message(text, ephemeral=True, **_view(button))
                return
        await self._interaction.edit_original_response(content=text, **_view(button))

    async def show(self, text: str) -> None:
        await self.begin()
        await self._interaction.edit_original_response(content=text)

    async def hide(self) -> None:
        """The handler's answer takes its place."""

    async def begin(self) -> None:
        async with self._answering:
            if not self._interaction.response.is_done():
                await self._interaction.response.defer(thinking=True, ephemeral=self._ephemeral)


def _view(button: Button | None) -> dict[str, Any]:
    if button is None:
        return {}
    ui = _library().ui
    view = ui.View(timeout=None)
    view.add_item(ui.Button(label=button.text, url=button.url))
    return {"view": view}
