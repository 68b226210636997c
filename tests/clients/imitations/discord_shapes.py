"""The objects of Discord's API as far as discord.js and discord.py read them."""
import datetime
import itertools
import time

DISCORD_EPOCH_MS = 1_420_070_400_000


class Ids:
    """Snowflakes: 42 bits of milliseconds, then a counter, so that each is greater than those before it."""

    def __init__(self):
        self.counter = itertools.count()

    def new(self):
        return str(((int(time.time() * 1000) - DISCORD_EPOCH_MS) << 22) + next(self.counter))


def stamp():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def user_shape(user, name, bot=False):
    return {"id": user, "username": name, "global_name": name, "discriminator": "0", "avatar": None, "bot": bot, "system": False, "flags": 0, "public_flags": 0}


def person(user):
    """Who wrote, as a guild's events say it."""
    return {"member": {"user": user, "roles": [], "joined_at": stamp(), "deaf": False, "mute": False, "flags": 0, "nick": None, "avatar": None,
                       "permissions": "2147483647", "premium_since": None, "pending": False, "communication_disabled_until": None}}


def application(bot):
    return {"id": bot, "name": "bot", "icon": None, "description": "", "bot_public": True, "bot_require_code_grant": False, "verify_key": "0" * 64,
            "flags": 0, "summary": "", "team": None, "owner": user_shape("1", "owner"), "hook": True, "rpc_origins": [], "tags": [],
            "interactions_endpoint_url": None, "role_connections_verification_url": None, "redirect_uris": [], "approximate_guild_count": 1}


def dm_channel(channel, other):
    return {"id": channel, "type": 1, "last_message_id": None, "flags": 0, "recipients": [user_shape(other, f"user{other}")]}


def guild_shape(guild, channels, bot):
    everyone = {"id": guild, "name": "@everyone", "color": 0, "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None}, "hoist": False,
                "position": 0, "permissions": "2147483647", "managed": False, "mentionable": False, "flags": 0, "icon": None, "unicode_emoji": None, "tags": {}}
    texts = [{"id": channel, "type": 0, "guild_id": guild, "name": f"c{channel}", "position": place, "permission_overwrites": [], "topic": None,
              "nsfw": False, "last_message_id": None, "rate_limit_per_user": 0, "parent_id": None, "flags": 0} for place, channel in enumerate(channels)]
    return {"id": guild, "name": f"guild {guild}", "icon": None, "splash": None, "discovery_splash": None, "owner_id": "1", "afk_channel_id": None,
            "afk_timeout": 300, "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0, "roles": [everyone], "emojis": [],
            "features": [], "mfa_level": 0, "application_id": None, "system_channel_id": None, "system_channel_flags": 0, "rules_channel_id": None,
            "vanity_url_code": None, "description": None, "banner": None, "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": "en-US",
            "public_updates_channel_id": None, "nsfw_level": 0, "stickers": [], "premium_progress_bar_enabled": False, "safety_alerts_channel_id": None,
            "joined_at": stamp(), "large": False, "unavailable": False, "member_count": 2, "voice_states": [], "channels": texts, "threads": [],
            "members": [person(user_shape(bot, "bot", bot=True))["member"]], "presences": [], "stage_instances": [], "guild_scheduled_events": [],
            "soundboard_sounds": [], "incidents_data": None}


def message_shape(message, channel, author, told, guild=None):
    reference = told.get("message_reference")
    return {"id": message, "channel_id": channel, "author": author, "content": told.get("content") or "", "timestamp": stamp(), "edited_timestamp": None,
            "tts": False, "mention_everyone": False, "mentions": [], "mention_roles": [], "attachments": [], "embeds": told.get("embeds") or [],
            "pinned": False, "type": 19 if reference else 0, "flags": told.get("flags") or 0, "components": told.get("components") or [],
            "reply_to": reference["message_id"] if reference else None} | (
                {"guild_id": guild} if guild else {}) | ({"message_reference": reference} if reference else {})


def command_shape(number, owner, told):
    return {"id": number, "application_id": owner, "type": told.get("type", 1), "name": told["name"], "description": told.get("description", ""),
            "options": told.get("options", []), "version": number, "default_member_permissions": None, "dm_permission": True, "nsfw": False,
            "name_localizations": None, "description_localizations": None, "contexts": None, "integration_types": [0]}


def interaction_shape(number, token, bot, channel, guild, command, told):
    """A slash command; options: a dictionary of texts and numbers."""
    types = {str: 3, bool: 5, int: 4, float: 10}
    user = user_shape(str(told["user"]), told.get("name", f"user{told['user']}"))
    options = [{"name": name, "type": types[type(value)], "value": value} for name, value in (told.get("options") or {}).items()]
    place = {"guild_id": guild, "guild_locale": "en-US", "guild": {"id": guild, "locale": "en-US", "features": []}} | person(user) if guild else {"user": user}
    of_guild = {"id": channel, "type": 0, "guild_id": guild, "name": f"c{channel}", "position": 0, "permissions": "2147483647", "nsfw": False, "parent_id": None,
                "permission_overwrites": [], "topic": None, "last_message_id": None, "rate_limit_per_user": 0, "flags": 0}
    return {"id": number, "application_id": bot, "type": 2, "token": token, "version": 1, "locale": told.get("locale", "en-US"),
            "channel_id": channel, "channel": of_guild if guild else dm_channel(channel, str(told["user"])), "app_permissions": "2147483647",
            "entitlements": [], "entitlement_skus": [], "authorizing_integration_owners": {}, "context": 0 if guild else 1, "attachment_size_limit": 10_485_760,
            "data": {"id": command, "name": told["command"], "type": 1, "options": options}} | place


def callback_answer(interaction, kind, message):
    return {"interaction": {"id": interaction, "type": 2, "response_message_id": message["id"], "response_message_loading": kind == 5,
                            "response_message_ephemeral": bool(message["flags"] & 64)},
            "resource": {"type": kind, "message": message}}


def change(message, told):
    """An edit: what is told replaces; the deferral's sign that something will come goes away."""
    message.update({name: value for name, value in told.items() if name in ("content", "embeds", "components", "flags") and value is not None})
    message["edits"] += 1
    message["loading"] = False
    return message
