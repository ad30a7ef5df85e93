"""Calls to Telegram: paced, fenced, retried."""
