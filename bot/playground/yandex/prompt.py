"""A completion request, parsed and checked as the native API does, with its error messages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.playground.telegram.entities import is_unicode
from storage.message import Message, Role

_DEFAULT_TEMPERATURE = 0.3
_DEFAULT_MAX_TOKENS = 2000
_CHARACTERS_A_TOKEN = 4
_TOKENS_A_REQUEST = 10
_TOKENS_A_MESSAGE = 4
"""With these, "ping" makes 15 tokens, as recorded."""
_MODEL_URI = re.compile(r"gpt://([^/\s]+)/[^/\s@]+(?:/[^/\s@]+)?(?:@[^/\s]+)?")


class Refusal(Exception):
    """The API's refusal: an HTTP status, and a message for the error's body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is asked, and how to answer."""

    messages: tuple[Message, ...]
    stream: bool
    temperature: float
    max_tokens: int

    @property
    def tokens(self) -> int:
        inside = sum(_TOKENS_A_MESSAGE + count(message.text) for message in self.messages)
        return _TOKENS_A_REQUEST + inside

    def token_texts(self) -> list[str]:
        """Return the text of every token; tokens that only separate messages have none."""
        texts = [piece for message in self.messages for piece in pieces(message.text)]
        return [""] * (self.tokens - len(texts)) + texts


def read(body: Mapping[str, Any], folder: str | None) -> Prompt:
    """Parse the body of a completion request; Refusal (400) if the API would not accept it."""
    check_model(body.get("modelUri"), folder)
    options = body.get("completionOptions") or {}
    if not isinstance(options, dict):
        raise Refusal(400, "invalid completion options")
    return Prompt(
        _messages(body.get("messages")),
        stream=options.get("stream") is True,
        temperature=_temperature(options.get("temperature", _DEFAULT_TEMPERATURE)),
        max_tokens=_max_tokens(options.get("maxTokens", _DEFAULT_MAX_TOKENS)),
    )


def check_model(uri: Any, folder: str | None) -> None:
    """Refuse anything that is not a model's URI, or names another folder than the key's."""
    match = _MODEL_URI.fullmatch(uri) if isinstance(uri, str) else None
    if match is None:
        raise Refusal(400, "invalid model_uri")
    if folder is not None and match[1] != folder:
        raise Refusal(
            400,
            f"Specified folder ID '{match[1]}' does not match with service account folder ID"
            f" '{folder}'",
        )


def check_text(text: Any) -> str:
    """Return the text; refuse it if it is empty or not a text."""
    if not isinstance(text, str) or not text:
        raise Refusal(400, "empty message text")
    if not is_unicode(text):
        raise Refusal(400, "message text is not valid UTF-8")
    return text


def pieces(text: str) -> list[str]:
    """Split a text into tokens: here simply four characters each."""
    step = _CHARACTERS_A_TOKEN
    return [text[start : start + step] for start in range(0, len(text), step)]


def count(text: str) -> int:
    """Return the number of tokens in a text."""
    return -(-len(text) // _CHARACTERS_A_TOKEN)


def _messages(given: Any) -> tuple[Message, ...]:
    if not isinstance(given, list) or not given:
        raise Refusal(400, "empty messages")
    return tuple(_message(message) for message in given)


def _message(given: Any) -> Message:
    role = given.get("role") if isinstance(given, dict) else None
    if role not in list(Role):
        raise Refusal(400, "invalid message role")
    return Message(Role(role), check_text(given.get("text")))


def _temperature(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise Refusal(400, "Invalid temperature value")
    return float(value)


def _max_tokens(value: Any) -> int:
    """Parse an int64 that came as a string, as protobuf writes it, or as a number."""
    text = str(value)
    if not re.fullmatch(r"[0-9]{1,19}", text) or not 0 < int(text) < 2**63:
        raise Refusal(400, "invalid maximum text generation size")
    return int(text)
