"""What can be made to fail in the demo, how, and what is set to: all of it until it is healed."""

from collections.abc import Mapping
from typing import Any

from bot.playground.outlet import Outlet
from bot.playground.telegram.chat import Json
from bot.playground.telegram.fault import Fault
from bot.playground.telegram.room import Room
from bot.playground.yandex.exchange import Exchanges
from bot.playground.yandex.outage import STATUSES, Outage

_SECONDS = {"least": 0.1, "most": 30}
_KINDS: dict[str, dict[str, Json]] = {
    "telegram": {
        "slow": {"seconds": _SECONDS},
        "refusing": {"status": {"one_of": [400, 403, 500, 502, 503, 504]}},
        "flooding": {"retry_after": {"least": 1, "most": 3600}},
        "cutting": {},
    },
    "model": {
        "slow": {"seconds": _SECONDS},
        "refusing": {"status": {"one_of": list(STATUSES)}},
        "cutting": {},
    },
    "storage": {"away": {}, "silent": {}},
}
"""What can fail in which way, and with which parameters."""


class Faults:
    """The faults of a room, a model and storage; without a ``model`` or ``outlet`` not of these.

    A fault is JSON: its ``kind``, such as slow, and the parameters that this kind has.
    """

    def __init__(self, room: Room, model: Exchanges | None, outlet: Outlet | None = None) -> None:
        self._room = room
        self._model = model
        self._outlet = outlet
        there = {"telegram": room, "model": model, "storage": outlet}
        self._possible = {name: kinds for name, kinds in _KINDS.items() if there[name]}
        self._set: dict[str, Json] = {}

    def json(self) -> Json:
        """Return the faults that are set, and those that are possible here."""
        return {"set": self._set, "possible": self._possible}

    async def put(self, given: Mapping[str, Any]) -> None:
        """Set faults by what is to fail; None heals that. ValueError says what is wrong."""
        for name, fault in given.items():
            if name not in self._possible:
                raise ValueError(f"{name} cannot be made to fail here")
            if fault is not None:
                _check(name, fault, self._possible[name])
        for name, fault in given.items():
            self._set = {other: set_ for other, set_ in self._set.items() if other != name}
            if fault is not None:
                self._set[name] = fault
            await self._strike(name, fault or {})
        self._room.touch()

    async def heal(self) -> None:
        """Let everything work again."""
        await self.put(dict.fromkeys(self._possible))

    async def _strike(self, name: str, fault: Json) -> None:
        match name:
            case "telegram":
                self._room.delay = fault.get("seconds", 0.0)
                self._room.outage = _telegram(fault)
            case "model" if self._model:
                self._model.outage = _model(fault)
            case "storage" if self._outlet:
                await self._outlet.become(fault.get("kind", "there"))


def _telegram(fault: Json) -> Fault | None:
    match fault:
        case {"kind": "refusing", "status": status}:
            return Fault(status)
        case {"kind": "flooding", "retry_after": seconds}:
            return Fault(429, retry_after=seconds)
        case {"kind": "cutting"}:
            return Fault()
    return None


def _model(fault: Json) -> Outage | None:
    match fault:
        case {"kind": "slow", "seconds": seconds}:
            return Outage(seconds)
        case {"kind": "refusing", "status": status}:
            return Outage(status=status)
        case {"kind": "cutting"}:
            return Outage(cuts=True)
    return None


def _check(name: str, fault: Any, kinds: Mapping[str, Json]) -> None:
    """Raise ValueError unless it is a fault of one of these kinds."""
    kind = fault.get("kind") if isinstance(fault, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"{name} must be null or an object whose kind is of {', '.join(kinds)}")
    given = {parameter: value for parameter, value in fault.items() if parameter != "kind"}
    if given.keys() != kinds[kind].keys():
        wanted = " and ".join(["kind", *kinds[kind]])
        raise ValueError(f"{name}: {kind} has exactly {wanted}")
    for parameter, value in given.items():
        _check_value(f"{name}: {parameter}", value, kinds[kind][parameter])


def _check_value(what: str, value: Any, bounds: Json) -> None:
    if choices := bounds.get("one_of"):
        if type(value) is not int or value not in choices:
            raise ValueError(f"{what} must be one of {', '.join(map(str, choices))}")
        return
    least, most = bounds["least"], bounds["most"]
    kinds = (int, float) if isinstance(least, float) else (int,)
    if type(value) not in kinds or not least <= value <= most:
        raise ValueError(f"{what} must be a number from {least} to {most}")
