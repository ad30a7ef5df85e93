"""The local Telegram: try the bot, or test any bot, without network or account."""
