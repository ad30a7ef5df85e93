"""What actions work with; one for each bot."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.actions.operation import Operation
from handlers.dialogue.conversation import Conversation
from handlers.dialogue.personas import Persona
from handlers.incoming.access import Access
from handlers.incoming.documents import Documents
from handlers.outgoing.preview import Streaming


@dataclass(frozen=True, slots=True)
class Tools:
    """``streaming`` says how an answer grows, ``buttons`` whether it has any.

    ``language`` is for people whose own the bot does not speak; ``personas`` are by their keys.
    Settings that are ``locked`` no chat may choose. ``menuless`` are owners whose own menu Telegram
    could not take yet, as they have no chat with the bot.
    """

    conversation: Conversation
    access: Access
    streaming: Streaming
    buttons: bool
    operation: Operation
    documents: Documents = field(default_factory=Documents)
    language: str | None = None
    personas: Mapping[str, Persona] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    menuless: set[int] = field(default_factory=set)
