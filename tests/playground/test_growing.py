"""Drafts, buttons, files and pace in the local Telegram."""

from typing import Any

import pytest

from bot.playground.telegram.chat import Json
from bot.playground.telegram.files import Upload
from bot.playground.telegram.methods import METHODS
from bot.playground.telegram.pace import Pace
from bot.playground.telegram.refusal import ApiError
from bot.playground.telegram.room import Room
from tests.playground.clock import Clock

ANN, GROUP = 101, -500


@pytest.fixture
def room(clock: Clock) -> Room:
    """A room in which Ann has said something, alone and in a group."""
    room = Room("1:a", clock=clock)
    room.updates.allow(["message", "callback_query", "stopped_message_generation"])
    for chat in (ANN, GROUP):
        room.say(chat, ANN, "hi")
    return room


def call(room: Room, method: str, **given: Any) -> Any:
    """Call a method of the Bot API."""
    return METHODS[method](room, {"chat_id": ANN, **given})


def refusal(room: Room, method: str, **given: Any) -> str:
    """Call a method that is refused, and give the reason."""
    with pytest.raises(ApiError) as refused:
        call(room, method, **given)
    assert refused.value.code == 400
    return refused.value.description.removeprefix("Bad Request: ")


def test_a_draft_changes_and_goes(room: Room, clock: Clock) -> None:
    """The same id is the same draft; time or a message takes it away."""
    assert call(room, "sendMessageDraft", draft_id=7, text="one") is True
    call(room, "sendMessageDraft", draft_id=7, text="one two", can_stop=True)
    call(room, "sendMessageDraft", draft_id=8, text="")
    assert [draft["text"] for draft in room.drafts(ANN)] == ["one two", ""]
    clock.now += 31
    assert room.drafts(ANN) == []
    call(room, "sendMessageDraft", draft_id=9, text="three")
    call(room, "sendMessage", text="three")
    assert room.drafts(ANN) == []


def test_a_draft_that_is_refused(room: Room) -> None:
    """Only private chats have drafts, and each has a number and a text that fits."""
    assert refusal(room, "sendMessageDraft", chat_id=GROUP, draft_id=7) == "TEXTDRAFT_PEER_INVALID"
    assert "non-zero" in refusal(room, "sendMessageDraft", draft_id=0, text="x")
    assert "too long" in refusal(room, "sendMessageDraft", draft_id=7, text="x" * 4097)
    spoiled = [{"type": "text_link", "offset": 0, "length": 1, "url": "http://localhost"}]
    assert "invalid" in refusal(room, "sendMessageDraft", draft_id=7, text="x", entities=spoiled)


def test_a_draft_is_stopped(room: Room) -> None:
    """If the bot has asked for the button; then it is told."""
    call(room, "sendMessageDraft", draft_id=7, text="x")
    with pytest.raises(ValueError, match="no draft"):
        room.stop(ANN, 7)
    call(room, "sendMessageDraft", draft_id=7, text="x", can_stop=True)
    before = len(room.updates)
    room.stop(ANN, 7)
    assert len(room.updates) == before + 1
    assert room.drafts(ANN) == []


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ({"text": "x", "callback_data": "d" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": "ы" * 33}, "BUTTON_DATA_INVALID"),
        (
            {"text": "x", "callback_data": ""},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"text": " ", "callback_data": "d"}, "inline keyboard button text must be non-empty"),
    ],
)
def test_a_button_that_is_refused(room: Room, button: Json, reason: str) -> None:
    """Telegram wants a label, and no more than 64 bytes of data."""
    markup = {"inline_keyboard": [[button]]}
    assert refusal(room, "sendMessage", text="x", reply_markup=markup) == reason


def test_buttons_change(room: Room) -> None:
    """A keyboard can be changed alone; an edit without one takes it away."""
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "d"}]]}
    number = call(room, "sendMessage", text="x", reply_markup=markup)["message_id"]
    changed = {"inline_keyboard": [[{"text": "y", "callback_data": "d"}]]}
    edited = call(room, "editMessageReplyMarkup", message_id=number, reply_markup=changed)
    assert (edited["text"], edited["reply_markup"]) == ("x", changed)
    again = refusal(room, "editMessageReplyMarkup", message_id=number, reply_markup=changed)
    assert "not modified" in again
    assert "reply_markup" not in call(room, "editMessageText", message_id=number, text="x")
    assert "not found" in refusal(room, "editMessageReplyMarkup", message_id=999)
    (own,) = (one["message_id"] for one in room.messages(ANN) if one["from"]["id"] == ANN)
    assert "can't be edited" in refusal(room, "editMessageReplyMarkup", message_id=own)


def test_a_press_is_answered_once(room: Room, clock: Clock) -> None:
    """And soon, and briefly."""
    number = call(room, "sendMessage", text="x")["message_id"]
    first, second, third = (room.press(ANN, ANN, number, "d") for _ in range(3))
    assert call(room, "answerCallbackQuery", callback_query_id=first, text="ok") is True
    assert "too old" in refusal(room, "answerCallbackQuery", callback_query_id=first)
    long = refusal(room, "answerCallbackQuery", callback_query_id=second, text="x" * 201)
    assert long == "MESSAGE_TOO_LONG"
    clock.now += 151
    assert "too old" in refusal(room, "answerCallbackQuery", callback_query_id=third)
    with pytest.raises(ValueError, match="no message"):
        room.press(ANN, ANN, 999, "d")


def test_files(room: Room) -> None:
    """What a person sends can be fetched, what the bot sends is shown; both have limits."""
    sent = room.send_document(ANN, ANN, Upload("a.txt", "text/plain", b"abc"), caption="see")
    found = call(room, "getFile", file_id=sent["document"]["file_id"])
    assert found["file_size"] == 3
    assert "wrong file_id" in refusal(room, "getFile", file_id="none")
    large = room.store(Upload("b", "x/y", b"x" * (20 * 2**20 + 1)))
    assert refusal(room, "getFile", file_id=large["file_id"]) == "file is too big"
    code = Upload("code.py", "text/x-python", b"x = 1")
    message = call(room, "sendDocument", document=code, caption="code")
    assert (message["document"]["file_name"], message["caption"]) == ("code.py", "code")
    assert "no document" in refusal(room, "sendDocument", document="")
    assert "wrong file identifier" in refusal(room, "sendDocument", document="text")
    assert "caption" in refusal(room, "sendDocument", document=code, caption="x" * 1025)


def test_pace(clock: Clock) -> None:
    """A burst passes, then one call a second; who calls in spite of a penalty gets a longer one."""
    pace, given = Pace(clock), {"chat_id": ANN}

    def wait() -> int:
        try:
            pace.check("sendMessage", given)
        except ApiError as error:
            return error.parameters["retry_after"]
        return 0

    assert [wait() for _ in range(3)] == [0, 0, 0]
    first, *_, last = (wait() for _ in range(4))
    assert last > first >= 1
    clock.now += 60
    assert wait() == 0
    pace.check("getChat", given)
    group = {"chat_id": GROUP}
    for _ in range(20):
        clock.now += 1.5
        pace.check("editMessageText", group)
    clock.now += 5
    for number in range(30):
        pace.check("sendMessage", {"chat_id": number + 1000})
    with pytest.raises(ApiError, match="retry after"):
        pace.check("sendMessage", {"chat_id": 1})
