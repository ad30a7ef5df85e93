"""A model's Markdown as Telegram shows it."""
