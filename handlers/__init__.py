"""What happens to an update: Telegram in, the dialogue, Telegram out."""
