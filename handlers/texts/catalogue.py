"""Everything the bot says by itself; each language must provide all of it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    """The bot's own words in one language; what stands in ``{}`` is filled in."""

    start: str
    help: str
    command_start: str
    command_help: str
    command_stop: str
    command_retry: str
    command_undo: str
    command_context: str
    command_reset: str
    stopped: str
    stopped_mark: str
    button_stop: str
    button_again: str
    button_continue: str
    button_forget: str
    old_button: str
    continue_question: str
    nothing_to_repeat: str
    undone: str
    restored: str
    nothing_to_undo: str
    undo_is_for_admins: str
    retry_is_for_the_asker: str
    context: str
    context_left_out: str
    left_out: str
    too_many: str
    forgotten: str
    forgotten_for_good: str
    other_chat_forgotten: str
    reset_is_for_admins: str
    reset_other_is_for_owners: str
    reset_needs_a_number: str
    unknown_command: str
    only_text: str
    forwarded: str
    kinds: Mapping[str, str]
    """What a message can hold besides text, by Telegram's names; the most telling comes first."""
    document_too_large: str
    document_too_long: str
    document_busy: str
    document_encrypted: str
    document_without_text: str
    document_gone: str
    empty_question: str
    not_allowed: str
    takes_longer: str
    truncated: str
    refused: str
    too_long: str
    unavailable: str
    misconfigured: str
    piece_refused: str
    unexpected: str
