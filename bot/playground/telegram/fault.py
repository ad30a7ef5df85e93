"""What a Bot API call can be made to fail with."""

from dataclasses import dataclass
from typing import Any

_DESCRIPTIONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance"
    " is running",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """How one call fails.

    With a ``status``, the call is answered with it: in Telegram's JSON, or with ``html`` as a proxy
    in between would. Without one, the connection is reset or, with ``hang``, never answered. With
    ``after_accept`` the call is carried out first, which its caller cannot know.
    """

    status: int | None = None
    description: str | None = None
    retry_after: int | None = None
    html: str | None = None
    hang: bool = False
    after_accept: bool = False

    @property
    def is_of_chats(self) -> bool:
        """True if Telegram only fails calls so that are about a chat: floods, and what is wrong."""
        return self.status is not None and 400 <= self.status < 500

    def error(self) -> dict[str, Any]:
        """Return the error as the Bot API words it."""
        if self.retry_after is not None:
            text = f"Too Many Requests: retry after {self.retry_after}"
            more: dict[str, Any] = {"parameters": {"retry_after": self.retry_after}}
        else:
            text = _DESCRIPTIONS.get(self.status or 0, "no answer: the room's fault plan")
            more = {}
        return {"error_code": self.status, "description": self.description or text, **more}
