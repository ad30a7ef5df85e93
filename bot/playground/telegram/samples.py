"""Samples: a file of each kind that people can send without having one."""

import base64
import zlib

from bot.playground.telegram.chat import Json
from bot.playground.telegram.files import Upload
from bot.playground.telegram.images import grey

_SILENCE = zlib.decompress(
    base64.b85decode(
        "c-r$%PY-5bVt@ihC@nMp>rF;s|ANwDkJQ8zMn((9hTUKZe~@wpWaS|2FSaV4Q3RwsBr(011t^k|nwt+-&(dJT1XmAY"
        "EjcK(U^?^Q1V8@&8%0AM0RZF()ua"
    )
)
"""Three seconds of silence, as Opus in Ogg."""

SAMPLES: dict[str, tuple[Upload, Json]] = {
    "sticker": (Upload("sticker.png", "image/png", grey(512, 512)), {"emoji": "👍"}),
    "photo": (Upload("photo.png", "image/png", grey(90, 90)), {}),
    "voice": (Upload("voice.oga", "audio/ogg", _SILENCE), {"duration": 3}),
}
"""Each with what can be said of it."""
