"""A request to a completion API as a line for a shell, without credentials. Pure."""

import json
from collections.abc import Mapping
from typing import Any

LONGEST = 100_000
"""Most characters of a body as an argument; Linux takes 128 KiB, and a letter may be two bytes."""
_LEFT_OUT = ("host", "connection", "content-length", "user-agent", "x-client-request-id")
"""Headers that curl makes by itself; and an id of its own, which names one request."""


def curl(
    url: str, headers: Mapping[str, str], body: Any, folder_id: str | None, *, local: bool = False
) -> str:
    """Write the line. The shell fills in ``$API_KEY``, and ``$FOLDER_ID`` where it is the real one.

    It prints ``$IAM_TOKEN`` for a request that was signed with such a token. If it is ``local``,
    any key will do, so the line before makes one where there is none.
    """
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    if not text.isascii():  # half a surrogate pair is no UTF-8
        text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    content = _quoted(text, folder_id)
    is_long = len(content.encode()) > LONGEST
    options = [
        "-H 'content-type: application/json'",
        f'-H "authorization: {_credentials(headers)}"',
        *(f"-H {_quoted(f'{name}: {value}', folder_id)}" for name, value in _plain(headers)),
        "--data-binary @-" if is_long else f"--data-raw {content}",
    ]
    line = " \\\n  ".join([f"curl --no-buffer {_quoted(url, None)}", *options])
    # What printf, a part of the shell, is given may be as long as it likes.
    piped = f"printf '%s' {content} | {line}" if is_long else line
    return f"API_KEY=${{API_KEY:-any}}\n{piped}" if local else piped


def _plain(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    known = {*_LEFT_OUT, "content-type", "authorization"}
    return [
        (name, value)
        for name, value in headers.items()
        if name not in known and not name.startswith("accept")
    ]


def _credentials(headers: Mapping[str, str]) -> str:
    is_token = headers.get("authorization", "").startswith("Bearer")
    return "Bearer $IAM_TOKEN" if is_token else "Api-Key $API_KEY"


def _quoted(text: str, folder_id: str | None) -> str:
    """Quote for a shell; only a model's folder is a variable."""
    if folder_id and text == f"x-folder-id: {folder_id}":
        return '"x-folder-id: $FOLDER_ID"'
    quoted = "'" + text.replace("'", "'\\''") + "'"
    if folder_id:
        quoted = quoted.replace(f"gpt://{folder_id}/", "gpt://'\"$FOLDER_ID\"'/")
    return quoted
