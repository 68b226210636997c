"""The methods of the Bot API that the imitation has."""
import time

from telegram_state import Failure

TEXT_MAX = 4096  # UTF-16 code units


def run(telegram, call):
    method = METHODS.get(call["method"].lower())
    if not method:
        raise Failure(404, "Not Found")
    return method(telegram, telegram.bot(call["bot"]), call["params"])


def people(user, chat):
    """User and Chat of an update, from what a test gives: an id, or the object."""
    if not isinstance(user, dict):
        user = {"id": user}
    user = {"is_bot": False, "first_name": f"User {user['id']}", "language_code": "en"} | user
    if chat is None:
        chat = {"id": user["id"], "type": "private", "first_name": user["first_name"]}
    elif not isinstance(chat, dict):
        chat = {"id": chat, "type": "supergroup", "title": f"Group {chat}"}
    return user, chat


def bot_user(bot):
    return {"id": bot.id, "is_bot": True, "first_name": f"Bot {bot.id}", "username": f"bot_{bot.id}_bot"}


def get_me(_, bot, __):
    return bot_user(bot) | {"can_join_groups": True, "can_read_all_group_messages": True, "supports_inline_queries": False,
                            "can_connect_to_business": False, "has_main_web_app": False}


def get_updates(telegram, bot, asked):
    return telegram.poll(bot, int(asked.get("offset") or 0), int(asked.get("limit") or 100), float(asked.get("timeout") or 0),
                         asked.get("allowed_updates"))


def set_webhook(telegram, bot, asked):
    with telegram.changed:
        bot.webhook = {"url": asked.get("url", ""), "secret_token": asked.get("secret_token"), "max_connections": int(asked.get("max_connections") or 40)}
        bot.allowed = asked.get("allowed_updates") or []
        bot.polls += 1  # ends a long poll
        if asked.get("drop_pending_updates"):
            bot.updates = []
        telegram.changed.notify_all()
    telegram.deliver(bot)
    return True


def delete_webhook(telegram, bot, asked):
    with telegram.changed:
        bot.webhook = {"url": ""}
        if asked.get("drop_pending_updates"):
            bot.updates = []
    return True


def webhook_info(telegram, bot, _):
    with telegram.changed:
        return {"url": bot.webhook["url"], "has_custom_certificate": False, "pending_update_count": len(bot.updates)}


def check_text(asked):
    text = asked.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Failure(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > TEXT_MAX:
        raise Failure(400, "Bad Request: message is too long")
    return text


def send_message(telegram, bot, asked):
    text = check_text(asked)
    with telegram.changed:
        chat = telegram.known_chats.get(asked.get("chat_id"))
        if not chat:
            raise Failure(400, "Bad Request: chat not found")
        message = {"message_id": telegram.next_message_id(chat), "from": bot_user(bot), "chat": chat, "date": int(time.time()), "text": text}
        for name in ("reply_markup", "message_thread_id"):
            if asked.get(name):
                message[name] = asked[name]
        telegram.chat_of(bot.id, chat["id"])[message["message_id"]] = message
        return message


def own_message(telegram, bot, asked, what):
    messages = telegram.chat_of(bot.id, asked.get("chat_id"))
    if asked.get("message_id") not in messages:
        raise Failure(400, f"Bad Request: message to {what} not found")
    return messages, messages[asked["message_id"]]


def edit_text(telegram, bot, asked):
    text = check_text(asked)
    with telegram.changed:
        messages, message = own_message(telegram, bot, asked, "edit")
        markup = asked.get("reply_markup") or None
        if message["text"] == text and message.get("reply_markup") == markup:
            raise Failure(400, "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a "
                          "current content and reply markup of the message")
        changed = {name: value for name, value in message.items() if name != "reply_markup"} | {"text": text, "edit_date": int(time.time())}
        messages[message["message_id"]] = changed | ({"reply_markup": markup} if markup else {})
        return messages[message["message_id"]]


def edit_markup(telegram, bot, asked):
    with telegram.changed:
        messages, message = own_message(telegram, bot, asked, "edit")
        messages[message["message_id"]] = message | {"reply_markup": asked.get("reply_markup")}
        return messages[message["message_id"]]


def delete_message(telegram, bot, asked):
    with telegram.changed:
        messages, message = own_message(telegram, bot, asked, "delete")
        del messages[message["message_id"]]
        return True


def done(*_):
    return True


# Telegram does not distinguish upper and lower case in the names of methods.
METHODS = {
    "getme": get_me, "getupdates": get_updates, "setwebhook": set_webhook, "deletewebhook": delete_webhook, "getwebhookinfo": webhook_info,
    "sendmessage": send_message, "editmessagetext": edit_text, "editmessagereplymarkup": edit_markup, "deletemessage": delete_message,
    "answercallbackquery": done, "sendchataction": done, "setmycommands": done, "deletemycommands": done, "close": done, "logout": done,
}
