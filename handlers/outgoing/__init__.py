"""Calls to Telegram: paced, fenced, tried again."""
