"""The webhook: Telegram posts updates to us, and gets a 200 only once they are stored."""

import asyncio
import hmac
import json
import math
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.updates.intake import KINDS, LARGEST, Intake
from handlers.outgoing.pacing import Effect, Kind
from storage.lease import Lease, LeaseLost
from storage.server.connect import StorageUnavailable
from storage.timing import Timing

log = structlog.get_logger()

HEADER = "X-Telegram-Bot-Api-Secret-Token"


_OF_THE_BOT = Effect(Kind.OTHER, hold=None)


class Webhook:
    """Takes updates at the path of ``url``, and keeps the webhook registered at Telegram."""

    def __init__(
        self,
        bot: ExtBot[Any],
        intake: Intake,
        url: str,
        secret: str,
        timing: Timing = Timing(),
    ) -> None:
        self._bot = bot
        self._intake = intake
        self._url = url
        self._secret = secret
        self._timing = timing
        self.route = Route(urlsplit(url).path or "/", self._receive, methods=["POST"])

    async def _receive(self, request: Request) -> Response:
        shown = request.headers.get(HEADER, "")
        if not hmac.compare_digest(shown.encode(), self._secret.encode()):
            return Response(status_code=403)
        try:
            await self._store(await _body(request))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads this; it will be posted again
        except StorageUnavailable as error:
            if self._intake.problem is None:
                log.warning("webhook_refuses", reason=str(error))
            self._intake.problem = str(error)
            # A balancer that asks /readyz sends nothing here until all is well.
            pause = self._timing.webhook_retry
            asyncio.get_running_loop().call_later(pause, self._be_well)
            return Response(status_code=503, headers={"Retry-After": str(math.ceil(pause))})
        self._be_well()
        return Response(status_code=200)

    def _be_well(self) -> None:
        self._intake.problem = None

    async def _store(self, body: bytes) -> None:
        try:
            update = json.loads(body)
        except (ValueError, RecursionError) as error:
            # If we refused it, Telegram would repeat it, and its chat would wait behind it.
            await self._intake.bury(body[:1000].decode("utf-8", "replace"), f"no JSON: {error}")
        else:
            await self._intake.take(update)

    async def run(self, lease: Lease) -> None:
        """Keep the webhook set whenever this process holds the lease, until cancelled."""
        while True:
            try:
                async with lease.leading():
                    try:
                        await self._keep()
                    finally:
                        await self._remove(lease)
            except LeaseLost as error:
                log.warning("webhook_handed_over", reason=str(error))

    async def _keep(self) -> None:
        known = ""  # set it at first in any case, because the secret may have changed
        while True:
            try:
                if known != self._url:
                    await self._bot.set_webhook(
                        self._url,
                        secret_token=self._secret,
                        allowed_updates=KINDS,
                        rate_limit_args=_OF_THE_BOT,
                    )
                    log.info("webhook_set", url=self._url)
                await asyncio.sleep(self._timing.webhook_look)
                known = (await self._bot.get_webhook_info()).url
            except TelegramError as error:
                log.warning("webhook_not_set", reason=str(error))
                await asyncio.sleep(self._timing.webhook_retry)

    async def _remove(self, lease: Lease) -> None:
        """Remove the webhook, unless another process waits to keep it."""
        if not await lease.is_awaited():
            try:
                await self._bot.delete_webhook(rate_limit_args=_OF_THE_BOT)
            except TelegramError as error:
                log.warning("webhook_not_removed", reason=str(error))


async def _body(request: Request) -> bytes:
    """Read a body; if it is too large, only its beginning, which becomes a dead letter."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            break
    return body
