"""The webhook: updates are posted to the bot, in queues, each repeatedly until it is accepted.

The rules are from telegram-bot-api's source (WebhookActor.cpp): one update of a queue at a time,
only 2xx counts, the pauses between tries, ``Retry-After``. Telegram accepts only https; the
emulator also posts over http, and only to loopback: it resolves no name but localhost and follows
no redirects.
"""

import asyncio
import contextlib
import ipaddress
import json
import os
import random
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from bot.background import beside
from bot.playground.telegram.updates import Updates, Waiting
from bot.transport import transport

CONNECTIONS = 40
"""Concurrent requests if setWebhook gives no number."""
MOST_CONNECTIONS = 100
PORTS = (80, 88, 443, 8443)
LAST_PORT = 65535
HEADER = "X-Telegram-Bot-Api-Secret-Token"
LONGEST_SECRET = 256
SILENCE = 60.0
"""Seconds to wait for a response."""
LONGEST_PAUSE = 60.0
"""Seconds between two tries; random, up to twice as many."""
LONGEST_RETRY_AFTER = 60 * 60

_MESSAGES = frozenset({"message", "edited_message", "channel_post", "edited_channel_post"})


@dataclass(frozen=True, slots=True)
class Target:
    """Where updates go, the secret to send, and the limit of concurrent requests.

    ``address`` is the IP address that was asked for, which on loopback does not matter.
    ``certificate`` is what the bot's server is known by, in PEM; without one, it needs one that the
    machine trusts.

    ValueError says, in Telegram's words, why it accepts no such webhook.
    """

    url: str
    secret: str = ""
    connections: int = CONNECTIONS
    address: str = ""
    certificate: str = ""

    def __post_init__(self) -> None:
        try:
            parts = httpx.URL(self.url)  # parsed as it will be for posting
            host, port = parts.raw_host.decode(), parts.port
        except (httpx.InvalidURL, ValueError):  # ValueError: a name that is not valid IDNA
            host, port = "", None
        if not host or parts.scheme not in ("http", "https") or (port or 0) > LAST_PORT:
            raise ValueError("invalid webhook URL specified")
        if len(self.secret) > LONGEST_SECRET:
            raise ValueError("secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", self.secret):
            raise ValueError("secret token contains unallowed characters")
        self.tls()
        if is_loopback(host):
            return
        if parts.scheme == "http":
            raise ValueError("bad webhook: An HTTPS URL must be provided for webhook")
        if (port or 443) not in PORTS:
            text = "Webhook can be set up only on ports 80, 88, 443 or 8443"
            raise ValueError(f"bad webhook: {text}")
        if _is_address(host):
            raise ValueError(f"bad webhook: IP address {host} is reserved")
        text = "Failed to resolve host: Name or service not known"
        raise ValueError(f"bad webhook: {text}")

    def tls(self) -> ssl.SSLContext | None:
        """Return a context that trusts the webhook's certificate, None if it has none."""
        if not self.certificate:
            return None
        try:
            context = ssl.create_default_context(cadata=self.certificate)
        except ssl.SSLError as error:
            raise ValueError(f"bad webhook: SSL error {{{error}}}") from None
        context.check_hostname = False  # Telegram takes a common name, too, which Python does not
        return context


@dataclass(frozen=True, slots=True)
class Failure:
    """The last failed try: when, in seconds since 1970, and why."""

    date: int
    message: str


class Webhook:
    """The bot's webhook, while there is a ``target``. Only `delivering` posts anything."""

    def __init__(self, updates: Updates, clock: Callable[[], float]) -> None:
        self.target: Target | None = None
        self.failure: Failure | None = None
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        """How to pause between tries; a test may have less time."""
        self.carry_out: Callable[[httpx.Response], Awaitable[None]] | None = None
        """Carries out the method that a bot may call in its response, if there is one."""
        self._updates = updates
        self._clock = clock
        self._changed = asyncio.Event()

    def point(self, target: Target | None) -> None:
        """Post updates there from now on, or nowhere; what waits keeps waiting."""
        if target == self.target:
            return
        self.target = target
        self.failure = None
        self._changed.set()

    @contextlib.asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Post updates while the block runs, whenever there is a target."""
        async with beside(self._deliver_to_all()):
            yield

    async def _deliver_to_all(self) -> None:
        while True:
            self._changed.clear()
            work = [self._deliver(self.target)] if self.target else []
            async with beside(*work):
                await self._changed.wait()

    async def _deliver(self, target: Target) -> None:
        headers = {"Content-Type": "application/json"}
        if target.secret:
            headers[HEADER] = target.secret
        queues: dict[tuple[str, str], deque[Waiting]] = {}
        async with (
            httpx.AsyncClient(
                transport=transport(None, target.connections, tls=target.tls()),
                # Without a free connection, wait for one as long as it takes.
                timeout=httpx.Timeout(SILENCE, pool=None),
                headers=headers,
            ) as http,
            asyncio.TaskGroup() as tasks,
        ):
            async for waiting in self._updates.arrivals():
                queue = queues.setdefault(queue_of(waiting.update), deque())
                queue.append(waiting)
                if len(queue) == 1:
                    tasks.create_task(self._empty(queue, http, target.url))

    async def _empty(self, queue: deque[Waiting], http: httpx.AsyncClient, url: str) -> None:
        while queue:
            await self._persist(queue[0], http, url)
            self._updates.remove(queue.popleft())

    async def _persist(self, waiting: Waiting, http: httpx.AsyncClient, url: str) -> None:
        """Post an update until it is accepted or expires."""
        pause, delay, failed = 0.0, 1.0, False
        while self._clock() + pause <= waiting.expires:
            if pause:
                await self.sleep(pause)
            asked = await self._post(waiting, http, url)
            if asked is None:
                return
            if failed and not asked:
                delay = min(2 * delay, random.uniform(LONGEST_PAUSE, 2 * LONGEST_PAUSE))
            pause = asked or (delay if failed else 0.0)
            failed = True

    async def _post(self, waiting: Waiting, http: httpx.AsyncClient, url: str) -> float | None:
        """Post an update once; returns None if it is accepted, else the seconds of Retry-After."""
        try:
            response = await http.post(url, content=json.dumps(waiting.update))
        except httpx.HTTPError as error:
            self._note(_why(error))
            return 0.0
        if response.is_success:
            if self.carry_out:
                await self.carry_out(response)
            return None
        status = f"{response.status_code} {response.reason_phrase}"
        self._note(f"Wrong response from the webhook: {status}")
        asked = response.headers.get("Retry-After", "")
        return min(float(asked), LONGEST_RETRY_AFTER) if re.fullmatch(r"\d{1,9}", asked) else 0.0

    def _note(self, message: str) -> None:
        self.failure = Failure(int(self._clock()), message)


def _why(error: httpx.HTTPError) -> str:
    """Say in Telegram's words why nobody answered."""
    if isinstance(error, httpx.TimeoutException):
        connects = isinstance(error, httpx.ConnectTimeout)
        return "Connection timed out" if connects else "Read timeout expired"
    cause = error.__cause__
    while cause:
        if isinstance(cause, ssl.SSLError):
            return f"SSL error {{{cause}}}"
        if isinstance(cause, OSError) and cause.errno and not cause.__cause__:
            return os.strerror(cause.errno)
        cause = cause.__cause__
    return "Webhook connection closed"


def queue_of(update: dict[str, Any]) -> tuple[str, str]:
    """Name an update's queue: a chat's messages and edits, a person's button presses, and so on.

    Within a queue the order is strict: an update that is not accepted holds up those behind it.
    """
    kind, content = next(((k, v) for k, v in update.items() if k != "update_id"), ("", None))
    fields = content if isinstance(content, dict) else {}
    owner = fields.get("chat") or fields.get("from")
    number = owner.get("id") if isinstance(owner, dict) else None
    return "message" if kind in _MESSAGES else kind, str(number)


def is_loopback(host: str) -> bool:
    """True if this host is the machine itself; no name is resolved but localhost."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
