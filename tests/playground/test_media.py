"""Files, as people and the bot send them, and as they get them back."""

import base64
import struct
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Message

from bot.playground.telegram import images
from bot.playground.telegram.files import Files, Upload
from bot.playground.telegram.images import Image, grey
from bot.playground.telegram.room import Room
from tests.playground.test_acts import client_of, does

TOKEN = "42:AAtoken"
ANN = 7
GROUP = -5
PNG = grey(1000, 500)
GIF = b"GIF89a" + struct.pack("<HH", 30, 40) + b"\0" * 8
JPEG = (
    b"\xff\xd8\xff\xe0\0\4ab\xff\xff\xc4\0\3x"
    b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, 600, 800, 3) + b"\0" * 9
)
WEBP = {
    b"VP8 ": b"\0" * 10 + struct.pack("<HH", 320 | 1 << 14, 200),
    b"VP8L": b"\0" * 4 + b"\x2f" + struct.pack("<I", 319 | 199 << 14),
    b"VP8X": b"\0" * 8 + (319).to_bytes(3, "little") + (199).to_bytes(3, "little"),
}


@pytest.fixture
def room() -> Room:
    return Room(TOKEN)


@pytest.fixture
async def client(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(room) as client:
        yield client


def webp(kind: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + kind + WEBP[kind]


@pytest.mark.parametrize(
    ("content", "image"),
    [
        (PNG, Image("image/png", 1000, 500)),
        (GIF, Image("image/gif", 30, 40)),
        (JPEG, Image("image/jpeg", 800, 600)),
        *((webp(kind), Image("image/webp", 320, 200)) for kind in WEBP),
        (grey(0, 5), None),
        (b"", None),
        (b"%PDF", None),
    ],
)
def test_reads_the_size_of_pictures(content: bytes, image: Image | None) -> None:
    """From the header of each format."""
    assert images.read(content) == image


@given(st.sampled_from([PNG, GIF, JPEG, *map(webp, WEBP)]), st.integers(0, 60), st.binary())
def test_damaged_pictures_are_no_pictures(content: bytes, start: int, rest: bytes) -> None:
    """Whatever follows the start of a picture, it has a size or is none."""
    found = images.read(content[:start] + rest)
    assert found is None or (found.width > 0 and found.height > 0)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no picture", "IMAGE_PROCESS_FAILED"),
        (grey(9000, 1001), "PHOTO_INVALID_DIMENSIONS"),
        (grey(2100, 100), "PHOTO_INVALID_DIMENSIONS"),
    ],
)
async def test_people_send_photos_that_are_some(
    room: Room, client: httpx.AsyncClient, content: bytes, why: str
) -> None:
    """Anything else is refused, in Telegram's words, and nothing is kept."""
    form = {"chat": "7", "user": "7", "kind": "photo"}
    answer = await client.post("/room/media", data=form, files={"file": ("a.png", content)})
    assert (answer.status_code, answer.json()) == (400, {"error": why})
    assert (room.messages(ANN), len(room.updates)) == ([], 0)


async def test_a_photo_from_a_form(room: Room, client: httpx.AsyncClient) -> None:
    """It comes in sizes with ids of their own, and can be seen by each."""
    form = {"chat": "7", "user": "7", "kind": "photo", "caption": "a #cat", "language": "ru"}
    answer = await client.post("/room/media", data=form, files={"file": ("cat.png", PNG)})
    sent = answer.json()
    sizes = [(size["width"], size["height"]) for size in sent["photo"]]
    assert sizes == [(90, 45), (320, 160), (800, 400), (1000, 500)]
    assert sent["caption_entities"][0]["type"] == "hashtag"
    assert len({size["file_unique_id"] for size in sent["photo"]}) == 4
    for size in sent["photo"]:
        shown = await client.get("/room/file", params={"id": size["file_id"]})
        assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
        assert shown.headers["x-content-type-options"] == "nosniff"
    (update,) = await room.updates.poll(0, 1, 0)
    assert update["message"] == sent
    assert Message.de_json(sent, None)


KINDS: list[tuple[str, bytes, dict[str, Any]]] = [
    ("document", b"\0text", {}),
    ("voice", b"OggS", {"duration": 3}),
    ("audio", b"ID3", {"duration": 200, "performer": "Somebody", "title": "Song"}),
    ("video", b"ftyp", {"duration": 9, "width": 640, "height": 480}),
    ("animation", GIF, {"duration": 1}),
    ("video_note", b"ftyp", {"duration": 9, "length": 240}),
    ("sticker", grey(512, 400), {"emoji": "👍"}),
]


@pytest.mark.parametrize(("kind", "content", "facts"), KINDS)
async def test_people_send_every_kind(
    client: httpx.AsyncClient, kind: str, content: bytes, facts: dict[str, Any]
) -> None:
    """In JSON, with the bytes in base64; the bot downloads them as they were."""
    encoded = base64.b64encode(content).decode()
    more = {"content": encoded, "name": "a.bin", "mime": "audio/ogg", **facts}
    sent = await does(client, "media", chat=ANN, user=ANN, kind=kind, **more)
    assert sent[kind].items() >= {**facts, "file_size": len(content)}.items()
    assert getattr(Message.de_json(sent, None), kind)
    url = f"/bot{TOKEN}/getFile"
    found = (await client.get(url, params={"file_id": sent[kind]["file_id"]})).json()["result"]
    assert found["file_unique_id"] == sent[kind]["file_unique_id"]
    assert (await client.get(f"/file/bot{TOKEN}/{found['file_path']}")).content == content
    assert (await client.get(f"/file/bot43:x/{found['file_path']}")).status_code == 404


@pytest.mark.parametrize("kind", ["sticker", "photo", "voice"])
async def test_what_is_made_up_comes_as_a_file_does(client: httpx.AsyncClient, kind: str) -> None:
    """As a reply, in a language, in an album, with what can be said of it."""
    person = {"chat": ANN, "user": ANN, "kind": kind}
    first = (await does(client, "media", **person, language="fi"))["message_id"]
    sent = await does(client, "media", **person, reply_to=first, media_group_id="1")
    assert sent["from"]["language_code"] == "fi"
    assert sent["reply_to_message"]["message_id"] == first
    assert sent["media_group_id"] == "1"
    if kind == "voice":
        assert (await does(client, "media", **person, duration=7))["voice"]["duration"] == 7


async def test_people_send_what_is_no_file(client: httpx.AsyncClient) -> None:
    """Places, contacts, dice."""
    person = {"chat": ANN, "user": ANN}
    place = await does(client, "media", **person, kind="location", latitude=55.7, longitude=37)
    assert place["location"] == {"latitude": 55.7, "longitude": 37}
    contact = await does(
        client, "media", **person, kind="contact", phone_number="+7", first_name="Boris"
    )
    assert contact["contact"]["phone_number"] == "+7"
    dice = await does(client, "media", **person, kind="dice", reply_to=place["message_id"])
    assert 1 <= dice["dice"]["value"] <= 6
    slot = await does(client, "media", **person, kind="dice", emoji="🎰")
    assert slot["dice"]["emoji"] == "🎰"
    assert all(Message.de_json(each, None) for each in (place, contact, dice, slot))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"kind": "photo", "content": "%%"}, "content must be a file's bytes in base64"),
        ({"kind": "film", "content": ""}, "kind is one of animation, audio, document"),
        ({"kind": "voice", "content": "", "width": 5}, "a voice has no width"),
        ({"kind": "voice", "content": "", "duration": -1}, "duration is from 0 to"),
        ({"kind": "document", "content": "", "caption": "x" * 1025}, "a caption is up to 1024"),
        ({"kind": "sticker", "content": "AAAA"}, "STICKER_FILE_INVALID"),
        ({"kind": "location", "latitude": 5}, "a location needs longitude"),
        ({"kind": "location", "latitude": 91, "longitude": 0}, "latitude is from -90"),
        ({"kind": "contact", "phone_number": "", "first_name": "x"}, "a contact has a phone"),
        ({"kind": "contact", "phone_number": "1", "first_name": "x", "width": 1}, "no width"),
        ({"kind": "dice", "emoji": "x"}, "EMOTICON_INVALID"),
        ({"kind": "photo", "file": "x"}, "file must be a file"),
        ({"kind": "location", "latitude": "x"}, "latitude must be a number"),
        ({"kind": "document"}, "without a file, kind is one of sticker, photo, voice"),
    ],
)
async def test_what_people_cannot_send(
    room: Room, client: httpx.AsyncClient, given: dict[str, Any], why: str
) -> None:
    """One sentence says why, and the chat stays as it was."""
    answer = await client.post("/room/media", json={"chat": ANN, "user": ANN, **given})
    assert answer.status_code == 400
    assert why in answer.json()["error"]
    assert (room.messages(ANN), len(room.updates)) == ([], 0)


@pytest.mark.parametrize(
    ("upload", "shown"),
    [
        (Upload("a.html", "text/html", b"<script>alert(1)</script>"), None),
        (Upload("a.svg", "image/svg+xml", b"<svg onload='alert(1)'/>"), None),
        (Upload("a.png", "image/png", b"<script>alert(1)</script>"), None),
        (Upload("a.html", "text/html", PNG), "image/png"),
        (Upload("a.ogg", "audio/ogg", b"OggS"), "audio/ogg"),
    ],
)
async def test_files_are_harmless_in_a_browser(
    room: Room, client: httpx.AsyncClient, upload: Upload, shown: str | None
) -> None:
    """Only pictures and sounds are shown; a page or a drawing that runs scripts is a download."""
    sent = room.send_document(ANN, ANN, upload)
    answer = await client.get("/room/file", params={"id": sent["document"]["file_id"]})
    headers = answer.headers
    assert answer.content == upload.content
    assert headers["content-type"] == (shown or "application/octet-stream")
    assert headers["content-disposition"].startswith("inline" if shown else "attachment")
    assert (headers["x-content-type-options"], "sandbox" in headers["content-security-policy"]) == (
        "nosniff",
        True,
    )
    assert (await client.get("/room/file?id=none")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=2-4", 206, b"cde"),
        ("bytes=8-", 206, b"ij"),
        ("bytes=8-99", 206, b"ij"),
        ("bytes=10-", 416, b""),
        ("bytes=-2", 200, b"abcdefghij"),
        ("bytes=1-2,4-5", 200, b"abcdefghij"),
    ],
)
async def test_players_seek(
    room: Room, client: httpx.AsyncClient, asked: str, status: int, part: bytes
) -> None:
    """A browser's player asks for a part of a file."""
    sent = room.send_document(ANN, ANN, Upload("a.ogg", "audio/ogg", b"abcdefghij"))
    url = f"/room/file?id={sent['document']['file_id']}"
    answer = await client.get(url, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (status, part)


def test_the_oldest_files_are_forgotten() -> None:
    """Memory is bounded; a photo goes with all its sizes."""
    files = Files(most_bytes=2000)
    kept = [files.make("photo", Upload("a.png", "image/png", grey(100, 100)))]
    kept += [files.make("document", Upload("a", "x/y", bytes(900))) for _ in range(3)]
    for file in kept:
        files.keep(file)
        files.keep(file)
    there = [all(files.get(each) is file for each in file.ids) for file in kept]
    assert there == [False, False, True, True]
    assert [files.at(file.path) is file for file in kept] == there
    assert not any(files.get(each) for each in kept[0].ids)
    files.keep(huge := files.make("document", Upload("b", "x/y", bytes(5000))))
    assert [file for file in (*kept, huge) if files.at(file.path)] == [huge]
