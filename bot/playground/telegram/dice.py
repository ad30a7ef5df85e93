"""Dice: emoji that fall on a random value.

Source: core.telegram.org/bots/api#dice.
"""

import secrets

from bot.playground.telegram.chat import Json

DIE = "🎲"
DICE = {DIE: 6, "🎯": 6, "🎳": 6, "🏀": 5, "⚽": 5, "🎰": 64}
"""How many values each has, from 1 up."""


def thrown(emoji: str) -> Json:
    """Return a Dice; ValueError, in Telegram's words, if the emoji is none of `DICE`."""
    emoji = emoji.removesuffix("\ufe0f")
    if emoji not in DICE:
        raise ValueError("EMOTICON_INVALID")
    return {"emoji": emoji, "value": 1 + secrets.randbelow(DICE[emoji])}
