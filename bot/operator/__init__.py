"""What the owner runs beside the bot: check, dead, export and import."""
