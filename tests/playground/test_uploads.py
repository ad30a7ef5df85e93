"""Files that the bot sends: however they come, of every kind, alone and in albums."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from telegram import Bot, InputFile, InputMediaDocument, InputMediaPhoto, InputMediaVideo, Message

from bot.playground.telegram.emulator import telegram_routes
from bot.playground.telegram.files import Upload
from bot.playground.telegram.images import grey
from bot.playground.telegram.room import Room
from bot.web import serving
from tests.playground.test_acts import client_of
from tests.playground.test_media import GIF, KINDS, PNG

TOKEN = "42:AAtoken"
ANN = 7
GROUP = -5
API = f"/bot{TOKEN}/"
TOO_BIG = (
    f"Bad Request: file of size {len(PNG) + 10 * 2**20} bytes is too big for a photo; the maximum"
    " size is 10485760 bytes"
)


@pytest.fixture
def room() -> Room:
    room = Room(TOKEN)
    room.say(ANN, ANN, "hi")
    return room


@pytest.fixture
async def client(room: Room) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(room) as client:
        yield client


async def call(client: httpx.AsyncClient, method: str, **given: Any) -> Any:
    """Call a method with JSON; its result, or why it failed."""
    body = (await client.post(API + method, json={"chat_id": ANN, **given})).json()
    return body["result"] if body["ok"] else body["description"]


async def form(client: httpx.AsyncClient, method: str, files: Any, **given: Any) -> Any:
    """Call a method with a form; its result, or why it failed."""
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}
    answer = await client.post(API + method, data={"chat_id": "7", **texts}, files=files)
    body = answer.json()
    return body["result"] if body["ok"] else body["description"]


def method_of(kind: str) -> str:
    return "send" + kind.title().replace("_", "")


@pytest.mark.parametrize(("kind", "content", "facts"), [*KINDS, ("photo", PNG, {})])
async def test_a_file_in_every_form(
    client: httpx.AsyncClient, kind: str, content: bytes, facts: dict[str, Any]
) -> None:
    """Under its own name, under another's, and by its id, which is the same file."""
    method, files = method_of(kind), {kind: ("a.bin", content)}
    sent = await form(client, method, files, **facts)
    other = await form(client, method, {"other": ("a.bin", content)}, **{kind: "attach://other"})
    assert getattr(Message.de_json(other, None), kind)
    shown = sent[kind][-1] if kind == "photo" else sent[kind]
    assert shown.items() >= facts.items()
    again = await call(client, method, **{kind: shown["file_id"]})
    assert again[kind] == sent[kind]
    assert (await call(client, "getFile", file_id=shown["file_id"]))["file_size"] == len(content)
    lost = f"Bad Request: there is no {kind.replace('_', ' ')} in the request"
    assert await call(client, method) == lost
    assert await call(client, method, **{kind: "attach://nothing"}) == lost
    assert await call(client, method, **{kind: [5]}) == lost
    wrong = "Bad Request: wrong file identifier/HTTP URL specified"
    assert await call(client, method, **{kind: "AgACAgIAAxkBAAI"}) == wrong
    odd = "Bad Request: wrong remote file identifier specified: Wrong character in the string"
    assert await call(client, method, **{kind: "a b"}) == odd
    outside = "Bad Request: failed to get HTTP URL content"
    for url in ("http://192.0.2.1/a.png", "example.org/a.png", "ftp://127.0.0.1/a", "http://[/"):
        assert await call(client, method, **{kind: url}) == outside


async def test_a_file_stays_what_it_is(client: httpx.AsyncClient) -> None:
    """By its id, a voice note sent as a document is a voice note; a photo is never a document."""
    voice = await form(client, "sendVoice", {"voice": ("a.oga", b"OggS")})
    same = await call(client, "sendDocument", document=voice["voice"]["file_id"])
    assert same["voice"] == voice["voice"]
    photo = await form(client, "sendPhoto", {"photo": ("a.png", PNG)})
    why = "Bad Request: can't use file of type Photo as Document"
    assert await call(client, "sendDocument", document=photo["photo"][0]["file_id"]) == why
    why = "Bad Request: can't use file of type VoiceNote as Photo"
    assert await call(client, "sendPhoto", photo=voice["voice"]["file_id"]) == why


@pytest.mark.parametrize(
    ("method", "name", "content", "why"),
    [
        ("sendPhoto", "photo", b"text", "Bad Request: IMAGE_PROCESS_FAILED"),
        ("sendPhoto", "photo", grey(9999, 2), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        ("sendDocument", "document", b"", "Bad Request: file must be non-empty"),
        ("sendSticker", "sticker", b"text", "Bad Request: STICKER_FILE_INVALID"),
        (
            "sendPhoto",
            "photo",
            PNG + bytes(10 * 2**20),
            TOO_BIG,
        ),
        ("sendDocument", "document", bytes(50 * 2**20 + 1), "Request Entity Too Large"),
    ],
)
async def test_files_that_are_refused(
    room: Room, client: httpx.AsyncClient, method: str, name: str, content: bytes, why: str
) -> None:
    """In Telegram's words, and the chat stays as it was."""
    assert await form(client, method, {name: ("a.png", content)}) == why
    assert len(room.messages(ANN)) == 1


async def test_captions_and_covers(client: httpx.AsyncClient) -> None:
    """A caption has formatting and a limit; a picture can be below it, and hidden."""
    files = {"photo": ("a.png", PNG), "thumbnail": ("t.png", grey(40, 30))}
    given = {"caption": "<b>hi</b>", "parse_mode": "HTML", "has_spoiler": "true"}
    sent = await form(client, "sendPhoto", files, **given, show_caption_above_media="true")
    assert (sent["caption"], sent["caption_entities"][0]["type"]) == ("hi", "bold")
    assert sent["has_media_spoiler"]
    assert sent["show_caption_above_media"]
    photo = sent["photo"][0]["file_id"]
    plain = await call(client, "sendPhoto", photo=photo, caption=" ")
    assert not {"caption", "has_media_spoiler"} & plain.keys()
    long = await call(client, "sendPhoto", photo=photo, caption="x" * 1025)
    assert long == "Bad Request: message caption is too long"
    entities = [{"type": "italic", "offset": 0, "length": 1}]
    styled = await call(client, "sendPhoto", photo=photo, caption="x", caption_entities=entities)
    assert styled["caption_entities"] == entities
    files = {"document": ("a.pdf", b"%PDF"), "thumbnail": ("t.png", grey(40, 30))}
    document = (await form(client, "sendDocument", files))["document"]
    assert document["mime_type"] == "application/pdf"
    assert document["thumbnail"]["width"] == 40
    thumbnail = document["thumbnail"]["file_id"]
    assert "thumbnails/" in (await call(client, "getFile", file_id=thumbnail))["file_path"]
    moving = await form(client, "sendAnimation", {"animation": ("a.gif", GIF)})
    assert moving["document"].items() < moving["animation"].items()
    assert (moving["animation"]["width"], moving["animation"]["height"]) == (30, 40)


async def test_how_a_video_begins(room: Room, client: httpx.AsyncClient) -> None:
    """Under a picture and from a second that are said anew each time, also in an album."""
    files = {"video": ("a.mp4", b"ftyp"), "cover": ("c.png", grey(40, 30))}
    video = (await form(client, "sendVideo", files, start_timestamp="3"))["video"]
    assert (video["cover"][-1]["width"], video["start_timestamp"]) == (40, 3)
    cover = video["cover"][-1]["file_id"]
    assert "photos/" in (await call(client, "getFile", file_id=cover))["file_path"]
    again = (await call(client, "sendVideo", video=video["file_id"]))["video"]
    assert not {"cover", "start_timestamp"} & again.keys()
    said = {"type": "video", "media": video["file_id"], "cover": cover, "start_timestamp": 5}
    (alone,) = await call(client, "sendMediaGroup", media=[said])
    assert (alone["video"]["cover"], alone["video"]["start_timestamp"]) == (video["cover"], 5)
    why = "Bad Request: can't use file of type Video as Photo"
    sent = len(room.messages(ANN))
    wrong = {"video": video["file_id"], "cover": video["file_id"]}
    assert await call(client, "sendVideo", **wrong) == why
    assert len(room.messages(ANN)) == sent


async def test_files_where_they_may_not_be_sent(room: Room, client: httpx.AsyncClient) -> None:
    """A group that takes no photos says so; nothing of an album comes then, and no file stays."""
    room.say(GROUP, ANN, "hi")
    room.permit(GROUP, ["can_send_messages", "can_send_videos"])
    photo = (await form(client, "sendPhoto", {"photo": ("a.png", PNG)}))["photo"][0]["file_id"]
    why = "Bad Request: not enough rights to send photos to the chat"
    assert await call(client, "sendPhoto", chat_id=GROUP, photo=photo) == why
    video = {"type": "video", "media": "attach://v"}
    album = [video, {"type": "photo", "media": photo}]
    files = {"v": ("a.mp4", b"ftyp")}
    assert await form(client, "sendMediaGroup", files, chat_id=str(GROUP), media=album) == why
    sent = await form(client, "sendMediaGroup", files, chat_id=str(GROUP), media=[video])
    assert len(room.messages(GROUP)) == 2
    assert len(room.files._kept) == 2
    assert room.files.get(sent[0]["video"]["file_id"])


async def test_files_from_urls(room: Room) -> None:
    """Loopback is fetched; a page, a redirect or too much is refused in Telegram's words."""

    def big(request: Request) -> Response:
        return Response(bytes(int(request.path_params["size"])), media_type="text/plain")

    app = Starlette(
        routes=[
            *telegram_routes(room),
            Route("/cat.png", lambda _: Response(PNG, media_type="image/png")),
            Route("/page", lambda _: Response("<p>", media_type="text/html")),
            Route("/away", lambda _: RedirectResponse("/cat.png")),
            Route("/big/{size:int}", big),
        ]
    )
    failed = "Bad Request: failed to get HTTP URL content"
    wrong = "Bad Request: wrong type of the web page content"
    async with (
        serving(app, "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as client,
    ):
        sent = await call(client, "sendPhoto", photo=f"{url}/cat.png")
        assert sent["photo"][-1]["width"] == 1000
        named = await call(client, "sendDocument", document=f"{url}/cat.png")
        assert named["document"]["file_name"] == "cat.png"
        assert await call(client, "sendPhoto", photo=f"{url}/page") == wrong
        assert await call(client, "sendPhoto", photo=f"{url}/away") == failed
        assert await call(client, "sendPhoto", photo=f"{url}/none") == failed
        assert await call(client, "sendDocument", document=f"{url}/big/{20 * 2**20 + 1}") == failed
        assert await call(client, "sendDocument", document="http://127.0.0.1:1/a.b") == failed
        elsewhere = url.replace("127.0.0.1", "0.0.0.0")  # this machine, but not loopback's name
        assert await call(client, "sendPhoto", photo=f"{elsewhere}/cat.png") == failed
        photo = {"type": "photo", "media": f"{url}/cat.png"}
        album = await call(client, "sendMediaGroup", media=[photo, photo])
        assert len({message["media_group_id"] for message in album}) == 1
        lost = await call(client, "sendMediaGroup", media=[photo, {**photo, "media": "http://x.y"}])
        assert lost == (
            'Bad Request: failed to send message #2 with the error message "Failed to get HTTP URL'
            ' content"'
        )
        changed = await call(
            client, "editMessageMedia", message_id=named["message_id"], media=photo
        )
        assert changed["photo"][-1]["width"] == 1000
    assert len(room.messages(ANN)) == 5


UNCLOSED = 'Can\'t find end tag corresponding to start tag "b"'
MEDIA = {"type": "photo", "media": "attach://a"}


@pytest.mark.parametrize(
    ("album", "why"),
    [
        (None, 'parameter "media" is required'),
        ([], "there are no messages to send"),
        ([MEDIA] * 11, "too many messages to send as an album"),
        ("x", "can't parse media JSON object"),
        ({}, "expected an Array of InputMedia"),
        ([5, MEDIA], "can't parse InputMedia: expected an Object"),
        ([{"media": "attach://a"}, MEDIA], "can't parse InputMedia: Can't find field \"type\""),
        ([{**MEDIA, "media": "attach://b"}, MEDIA], "can't parse InputMedia: media not found"),
        (
            [{**MEDIA, "type": "sticker"}, MEDIA],
            'can\'t parse InputMedia: type "sticker" is unsupported',
        ),
        (
            [{**MEDIA, "type": "animation"}, MEDIA],
            "can't parse InputMedia: type \"animation\" can't be used in sendMediaGroup",
        ),
        ([{**MEDIA, "type": "document"}, MEDIA], "document can't be mixed with other media types"),
        ([MEDIA, {**MEDIA, "type": "audio"}], "audio can't be mixed with other media types"),
        (
            [{**MEDIA, "show_caption_above_media": True, "caption": "x"}, MEDIA],
            "parameter show_caption_above_media must be the same for all messages",
        ),
        (
            [MEDIA, {**MEDIA, "media": "attach://text"}],
            'failed to send message #2 with the error message "IMAGE_PROCESS_FAILED"',
        ),
        ([MEDIA, {**MEDIA, "caption": "x" * 1025}], "message caption is too long"),
        (
            [MEDIA, {**MEDIA, "caption": "<b>", "parse_mode": "HTML"}],
            f"can't parse InputMedia: Can't parse entities: {UNCLOSED}",
        ),
    ],
)
async def test_albums_that_are_refused(
    room: Room, client: httpx.AsyncClient, album: Any, why: str
) -> None:
    """As a whole, in Telegram's words."""
    files = {"a": ("a.png", PNG), "text": ("a.png", b"text")}
    given = {} if album is None else {"media": album}
    assert await form(client, "sendMediaGroup", files, **given) == f"Bad Request: {why}"
    assert len(room.messages(ANN)) == 1


async def test_python_telegram_bot_sends_files(room: Room) -> None:
    """Its uploads, albums and downloads work unchanged."""
    app = Starlette(routes=telegram_routes(room))
    async with (
        serving(app, "127.0.0.1", 0) as url,
        Bot(TOKEN, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot") as bot,
    ):
        photo = await bot.send_photo(ANN, PNG, caption="a cat")
        again = await bot.send_photo(ANN, photo.photo[-1])
        assert again.photo == photo.photo
        document = await bot.send_document(ANN, InputFile(b"words", "a.txt"), thumbnail=PNG)
        assert document.document is not None
        found = await bot.get_file(document.document)
        assert await found.download_as_bytearray() == b"words"
        album = await bot.send_media_group(
            ANN, [InputMediaPhoto(PNG), InputMediaVideo(b"ftyp", width=3)], caption="two"
        )
        assert [each.caption for each in album] == ["two", None]
        assert album[1].video is not None
        assert album[1].video.width == 3
        (alone,) = await bot.send_media_group(ANN, [InputMediaDocument(b"x", filename="a.txt")])
        assert alone.media_group_id is None
        media = InputMediaDocument(b"y", filename="b.txt")
        changed = await bot.edit_message_media(media, ANN, document.message_id)
        assert isinstance(changed, Message)
        assert changed.document is not None
        assert changed.document.file_name == "b.txt"
        received = room.send_document(ANN, ANN, Upload("a.txt", "text/plain", b"old words"))
        found = await bot.get_file(received["document"]["file_id"])
        assert await found.download_as_bytearray() == b"old words"
