"""A call to Telegram without python-telegram-bot's checks and objects, which take half its time.

For the two calls that each answer makes, for announcements, and where the library would refuse an
answer in which a field is missing; everything else goes the library's way.
"""

from collections.abc import Mapping
from typing import Any

from telegram.ext import ExtBot
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from handlers.outgoing.pacing import Effect


async def post(bot: ExtBot[Any], method: str, fields: Mapping[str, Any], effect: Effect) -> Any:
    """Call a method of the Bot API when there is room; returns its result's JSON.

    Raises what python-telegram-bot raises, and what `Pacing` does.
    """
    pacing = bot.rate_limiter
    assert pacing is not None  # noqa: S101 - every bot is made with it
    data = RequestData([RequestParameter(name, value, None) for name, value in fields.items()])
    arguments = f"{bot.base_url}/{method}", data
    return await pacing.process_request(
        bot.request.post, arguments, {}, method, data.parameters, effect
    )
