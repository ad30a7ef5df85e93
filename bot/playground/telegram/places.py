"""Places, contacts and dice: what a bot sends that is neither text nor file.

Limits and errors are from telegram-bot-api's Client.cpp and TDLib's Location.cpp.
"""

import math
import re
from typing import Any

from bot.playground.telegram.chat import Json
from bot.playground.telegram.dice import DIE, thrown
from bot.playground.telegram.edits import change, message_to_edit
from bot.playground.telegram.parameters import bad, markup_of, number, open_chat, string
from bot.playground.telegram.room import Room
from bot.playground.telegram.sending import send

FOR_EVER = 2**31 - 1
"""The period of a live location that does not end."""
SHORTEST_LIVE, LONGEST_LIVE = 60, 24 * 60 * 60
WIDEST_ALERT = 100_000
"""Metres."""
LEAST_ACCURATE = 1500
_VENUE = ("foursquare_id", "foursquare_type", "google_place_id", "google_place_type")
_CONTACT = ("last_name", "vcard")


def send_location(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    location = _location(given) | _live(given)
    return send(room, given, chat, {"location": location} | markup_of(given))


def send_venue(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    venue = {"location": _location(given), **_required(given, "title", "address")}
    venue |= {name: text for name in _VENUE if (text := string(given, name))}
    content = {"venue": venue, "location": venue["location"]}
    return send(room, given, chat, content | markup_of(given))


def send_contact(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    contact = _required(given, "phone_number", "first_name")
    contact |= {name: text for name in _CONTACT if (text := string(given, name))}
    return send(room, given, chat, {"contact": contact} | markup_of(given))


def send_dice(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    try:
        dice = thrown(string(given, "emoji") or DIE)
    except ValueError as error:
        raise bad(str(error)) from None
    return send(room, given, chat, {"dice": dice} | markup_of(given))


def edit_message_live_location(room: Room, given: Json) -> Json | bool:
    """Move a live location, for as long as before unless the call says how long."""
    chat, old = message_to_edit(room, given)
    now = _live_location(room, old)
    location = _location(given) | {"live_period": now["live_period"]} | _live(given)
    return change(room, given, chat, old, {"location": location}, ("location",))


def stop_message_live_location(room: Room, given: Json) -> Json | bool:
    chat, old = message_to_edit(room, given)
    now = _live_location(room, old)
    location = {name: now[name] for name in ("latitude", "longitude")}
    return change(room, given, chat, old, {"location": location}, ("location",))


def _live_location(room: Room, message: Json) -> Json:
    location: Json = message.get("location", {})
    if "venue" in message or "live_period" not in location:
        raise bad("there is no live location in the message to edit")
    if room.clock() > message["date"] + location["live_period"] < FOR_EVER:
        raise bad("message can't be edited")
    return location


def _location(given: Json) -> Json:
    latitude, longitude = (_degrees(given, name) for name in ("latitude", "longitude"))
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise bad("invalid location specified")
    accuracy = _decimal(given.get("horizontal_accuracy"))
    kept = {"horizontal_accuracy": min(accuracy, LEAST_ACCURATE)} if accuracy > 0 else {}
    return {"latitude": latitude, "longitude": longitude, **kept}


def _degrees(given: Json, name: str) -> float:
    if given.get(name) is None or not str(given[name]).strip():
        raise bad(f"{name} is empty")
    return _decimal(given[name])


def _decimal(value: Any) -> float:
    """Read a number as Telegram does: 0 if it is none."""
    if isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d{1,99}(\.\d*)?\s*", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if math.isfinite(min(abs(value), 2**64)) else 0


def _live(given: Json) -> Json:
    """Return what makes a location a live one, if anything does."""
    period, heading = number(given, "live_period"), number(given, "heading")
    radius = number(given, "proximity_alert_radius")
    if period and not (SHORTEST_LIVE <= period <= LONGEST_LIVE or period == FOR_EVER):
        raise bad("wrong live location period specified")
    if not 0 <= heading <= 360:
        raise bad("wrong live location heading specified")
    if not 0 <= radius <= WIDEST_ALERT:
        raise bad("wrong live location proximity alert radius specified")
    if not period:
        return {}
    live = {"live_period": period, "heading": heading, "proximity_alert_radius": radius}
    return {name: value for name, value in live.items() if value}


def _required(given: Json, *names: str) -> Json:
    found = {name: string(given, name) for name in names}
    if missing := [name for name, text in found.items() if not text]:
        raise bad(f'parameter "{missing[0]}" is required')
    return found


METHODS: dict[str, Any] = {
    "sendLocation": send_location,
    "sendVenue": send_venue,
    "sendContact": send_contact,
    "sendDice": send_dice,
    "editMessageLiveLocation": edit_message_live_location,
    "stopMessageLiveLocation": stop_message_live_location,
}
