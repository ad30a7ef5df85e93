"""What actions work with; one for each bot."""

from dataclasses import dataclass, field

from handlers.dialogue.conversation import Conversation
from handlers.incoming.access import Access
from handlers.incoming.documents import Documents
from handlers.outgoing.preview import Streaming


@dataclass(frozen=True, slots=True)
class Tools:
    """``streaming`` says how an answer grows, ``buttons`` whether it has any."""

    conversation: Conversation
    access: Access
    streaming: Streaming
    buttons: bool
    documents: Documents = field(default_factory=Documents)
