"""Storms of ``kill -9``, over a bot whose people go on talking: ``python -m tests.crash``.

Everything is real: processes of the bot, a Valkey server, a local Telegram and a completion
server over HTTP. What must hold is judged from outside, by what people said and heard, by what
the model was asked, and by what is left in Redis.
"""
