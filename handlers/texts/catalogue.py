"""The list of what the bot says by itself; each language fills it in whole."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    """The bot's own words in one language. ``{name}`` is the bot's user name."""

    start: str
    help: str
    command_start: str
    command_help: str
    command_stop: str
    command_reset: str
    stopped: str
    too_many: str
    forgotten: str
    other_chat_forgotten: str
    reset_is_for_admins: str
    reset_other_is_for_owners: str
    reset_needs_a_number: str
    unknown_command: str
    only_text: str
    empty_question: str
    not_allowed: str
    takes_longer: str
    truncated: str
    refused: str
    too_long: str
    unavailable: str
    misconfigured: str
    unexpected: str
