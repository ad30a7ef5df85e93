"""What the bot does: answers questions, obeys commands and buttons."""
