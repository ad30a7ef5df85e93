"""What the bot says to an update, as it is kept until Telegram has all of it. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from handlers.rendering.markup import Chunk, File

Piece = Chunk | File


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a reply; ``data`` comes back when it is pressed, an https URL is opened.

    Buttons of one ``row``, which are neighbours, stand side by side.
    """

    label: str
    data: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: pieces, and buttons under the last one.

    ``is_answer`` marks the answer of an exchange in the history.
    """

    pieces: Sequence[Piece]
    buttons: Sequence[Button] = ()
    is_answer: bool = False

    def __str__(self) -> str:
        fields = {
            "pieces": [_written(piece) for piece in self.pieces],
            "buttons": [
                [one.label, one.data, *([one.row] if one.row else ())] for one in self.buttons
            ],
            "answers": self.is_answer,
        }
        return json.dumps(fields, ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the output of ``str``."""
        fields = json.loads(text)
        return cls(
            [_piece(words, more) for words, more in fields["pieces"]],
            [Button(*button) for button in fields["buttons"]],
            is_answer=fields["answers"],
        )


def _written(piece: Piece) -> list[object]:
    return [piece.text, piece.name if isinstance(piece, File) else piece.entities]


def _piece(words: str, more: str | list[dict[str, object]]) -> Piece:
    return File(more, words) if isinstance(more, str) else Chunk(words, tuple(more))
