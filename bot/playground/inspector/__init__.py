"""The inspector: what happened inside the bot for each of its answers."""
