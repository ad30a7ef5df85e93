"""The cloud's sign-in as tests need it: IAM tokens for a key or a Yandex account, and metadata."""

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

_LIFETIME = 12 * 60 * 60.0
_METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"


class Iam:
    """Issues tokens and knows which of them are valid.

    ``check_jwt`` gets a key file's JWT and raises ValueError if it is not signed correctly; without
    it any JWT is valid. ``lifetime`` of a new token is in seconds.
    """

    def __init__(self, check_jwt: Callable[[str], object] | None = None) -> None:
        self.lifetime = _LIFETIME
        self._check_jwt = check_jwt
        self._expiry: dict[str, float] = {}
        self.routes = [
            Route("/iam/v1/tokens", self._tokens, methods=["POST"]),
            Route(_METADATA, self._metadata),
        ]

    def issue(self) -> str:
        """Return a new token, valid for ``lifetime`` seconds."""
        token = f"t1.{secrets.token_urlsafe(24)}"
        self._expiry[token] = time.time() + self.lifetime
        return token

    def expire(self) -> None:
        """Invalidate every token issued so far."""
        self._expiry = dict.fromkeys(self._expiry, 0.0)

    def issued(self, token: str) -> bool:
        return token in self._expiry

    def accepts(self, token: str) -> bool:
        return time.time() < self._expiry.get(token, 0.0)

    async def _tokens(self, request: Request) -> Response:
        try:
            asked: Any = json.loads(await request.body())
        except ValueError:
            asked = None
        asked = asked if isinstance(asked, dict) else {}
        if isinstance(jwt := asked.get("jwt"), str):
            try:
                if self._check_jwt is not None:
                    self._check_jwt(jwt)
            except ValueError as error:
                return _refusal(401, 16, f"JWT is invalid: {error}")
        elif not isinstance(asked.get("yandexPassportOauthToken"), str):
            return _refusal(400, 3, "one of jwt and yandexPassportOauthToken is required")
        return JSONResponse({"iamToken": self.issue(), "expiresAt": self._expires_at()})

    async def _metadata(self, request: Request) -> Response:
        if request.headers.get("metadata-flavor") != "Google":
            return PlainTextResponse("Missing Metadata-Flavor:Google header.", 403)
        body = {"access_token": self.issue(), "expires_in": int(self.lifetime)}
        return JSONResponse({**body, "token_type": "Bearer"})

    def _expires_at(self) -> str:
        """Return when a new token expires, as in protobuf's JSON: to the nanosecond."""
        end = datetime.fromtimestamp(time.time() + self.lifetime, UTC)
        return f"{end:%Y-%m-%dT%H:%M:%S.%f}123Z"


def _refusal(status: int, code: int, message: str) -> Response:
    return JSONResponse({"code": code, "message": message, "details": []}, status)
