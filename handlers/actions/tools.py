"""What actions work with, made once for each bot."""

from dataclasses import dataclass, field

from handlers.dialogue.conversation import Conversation
from handlers.incoming.access import Access
from handlers.incoming.documents import Documents
from handlers.outgoing.preview import Streaming


@dataclass(frozen=True, slots=True)
class Tools:
    """``streaming`` and ``buttons`` say how an answer grows, and whether there are any under it."""

    conversation: Conversation
    access: Access
    streaming: Streaming
    buttons: bool
    documents: Documents = field(default_factory=Documents)
