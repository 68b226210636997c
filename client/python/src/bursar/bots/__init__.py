"""Plugins for bot frameworks: bursar.bots.aiogram, bursar.bots.telegram (python-telegram-bot) and bursar.bots.discord. This package
imports none of them."""
