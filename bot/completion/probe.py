"""Finds out at the start whether the model can answer, before the first person asks."""

import structlog

from bot.background import contained
from handlers.dialogue.completion import Completion, CompletionError, CompletionMisconfigured
from handlers.dialogue.profile import Profile
from storage.message import Message, Role

log = structlog.get_logger()

NO_TOKENISER = (404, 405, 501)
"""Statuses of servers without a tokeniser; there, nothing can be tried for free."""


async def probe(completion: Completion, profile: Profile) -> None:
    """Try key, role, folder and model with the tokeniser, which is free; log what is wrong.

    Without a tokeniser nothing is tried.
    """
    with contained("probe_failed"):  # the bot works without it
        try:
            await completion.count(profile, [Message(Role.USER, "да")], 0)
        except CompletionMisconfigured as error:
            if error.status not in NO_TOKENISER:
                log.error("model_misconfigured", reason=_line(error))  # noqa: TRY400 - no bug
        except CompletionError as error:
            log.warning("model_unreachable", reason=_line(error))


def _line(error: CompletionError) -> str:
    return " ".join(str(error).split())
