"""A local Telegram: people, chats and bots in memory, and the Bot API over HTTP."""
