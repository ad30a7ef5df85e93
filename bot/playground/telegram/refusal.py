"""How the Bot API refuses a call."""

from bot.playground.telegram.chat import Json


class ApiError(Exception):
    """A method's refusal: HTTP status, description, and ``parameters`` for the client."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def error(self) -> Json:
        error: Json = {"error_code": self.code, "description": self.description}
        return error | ({"parameters": self.parameters} if self.parameters else {})
