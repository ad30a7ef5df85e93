"""How a bot asks to get its updates by webhook, and how that goes.

Parameters and errors are those of telegram-bot-api (process_set_webhook_query).
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from bot.playground.telegram.chat import Json
from bot.playground.telegram.parameters import bad, flag, number, string
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from bot.playground.telegram.uploads import attached
from bot.playground.telegram.webhook import CONNECTIONS, MOST_CONNECTIONS, Target


def set_webhook(room: Room, given: Json) -> bool:
    """Post updates to an address from now on; without one, do not."""
    if not string(given, "url"):
        return delete_webhook(room, given)
    target = _target(given)
    if isinstance(given.get("allowed_updates"), list):
        room.updates.allow(given["allowed_updates"])
    room.updates.end_poll("terminated by setWebhook request")
    return _point(room, target, given)


def delete_webhook(room: Room, given: Json) -> bool:
    return _point(room, None, given)


def get_webhook_info(room: Room, _given: Json) -> Json:
    target, failure = room.webhook.target, room.webhook.failure
    info: Json = {
        "url": target.url if target else "",
        "has_custom_certificate": target is not None and target.certificate != "",
        "pending_update_count": len(room.updates),
    }
    if failure:
        info |= {"last_error_date": failure.date, "last_error_message": failure.message}
    if target:
        info["max_connections"] = target.connections
        info |= {"ip_address": target.address} if target.address else {}
    if room.updates.allowed is not None:
        info["allowed_updates"] = room.updates.allowed
    return info


def _target(given: Json) -> Target:
    connections = min(max(number(given, "max_connections") or CONNECTIONS, 1), MOST_CONNECTIONS)
    try:
        return Target(
            string(given, "url"),
            string(given, "secret_token"),
            connections,
            _address(given),
            _certificate(given),
        )
    except ValueError as error:
        raise ApiError(400, f"Bad Request: {error}") from None


def _certificate(given: Json) -> str:
    """Return the certificate that was uploaded, which may also be named by ``attach://``."""
    upload = attached(given, given.get("certificate"))
    return upload.content.decode("ascii", "ignore") if upload else ""


def _address(given: Json) -> str:
    """Return the fixed IP address to post to, which here can only be a loopback one."""
    if not (address := string(given, "ip_address")):
        return ""
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise bad("invalid IP address specified") from None
    if not is_loopback:
        raise bad(f"bad webhook: IP address {address} is reserved")
    return address


def _point(room: Room, target: Target | None, given: Json) -> bool:
    if flag(given, "drop_pending_updates"):
        room.updates.clear()
        room.webhook.point(None)  # it has some of them in hand
    room.webhook.point(target)
    return True


METHODS: dict[str, Callable[[Room, Json], Any]] = {
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
}
