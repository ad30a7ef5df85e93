"""Files: documents that the bot sends, and those it fetches from people's messages."""

from bot.playground.chat import Json
from bot.playground.content import Upload
from bot.playground.parameters import bad, markup_of, open_chat, reply_to, thread_of, words_of
from bot.playground.room import Room

LARGEST_SENT, LARGEST_FETCHED = 50 * 2**20, 20 * 2**20
"""Most bytes that a bot may send, and fetch."""
LONGEST_CAPTION = 1024


def send_document(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    upload = given.get("document")
    if not isinstance(upload, Upload):
        raise bad("there is no document in the request")
    if len(upload.content) > LARGEST_SENT:
        raise bad("file is too big")
    content = words_of(given, "caption", "caption_entities", LONGEST_CAPTION) | markup_of(given)
    if not content["caption"]:
        del content["caption"]
    document = room.store(upload)
    return room.post(
        chat,
        {"document": document, **content},
        reply_to=reply_to(chat, given),
        topic=thread_of(chat, given),
    )


def get_file(room: Room, given: Json) -> Json:
    found = room.files.get(str(given.get("file_id")))
    if found is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    if len(found.content) > LARGEST_FETCHED:
        raise bad("file is too big")
    file_id = str(given["file_id"])
    return {
        "file_id": file_id,
        "file_unique_id": f"unique-{file_id}",
        "file_size": len(found.content),
        "file_path": f"documents/{file_id}",
    }
