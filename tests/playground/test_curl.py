"""A request as a line for a shell: the shell reads from it what was sent, but for the key."""

import asyncio
import itertools
import json
import shlex
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.playground.inspector.curl import LONGEST, curl

URL = "https://example.org/foundationModels/v1/completion"
KEY = "AQVN-very-secret"
HEADERS = {
    "authorization": f"Api-Key {KEY}",
    "content-type": "application/json",
    "content-length": "7",
    "host": "127.0.0.1:8090",
    "accept-encoding": "gzip",
    "x-client-request-id": "d9e5f8a0-0000-4000-8000-000000000000",
    "x-data-logging-enabled": "false",
}
FOLDER = "b1gexample"


def body(text: str) -> dict[str, Any]:
    message = {"role": "user", "text": text}
    return {"modelUri": f"gpt://{FOLDER}/yandexgpt/latest", "messages": [message]}


texts = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=60)
@given(texts)
@example('it\'s "$HOME" `id` \\ !! \n\t\r\x00 %s')
def test_a_shell_reads_what_was_sent(text: str) -> None:
    """Whatever is in it, and no key; the folder is a variable of the shell's."""
    command, *arguments = shlex.split(curl(URL, HEADERS, body(text), FOLDER))
    assert (command, arguments[1]) == ("curl", URL)
    given_ = arguments[arguments.index("--data-raw") + 1]
    assert json.loads(given_.replace("$FOLDER_ID", FOLDER, 1)) == body(text)
    headers = [after for one, after in itertools.pairwise(arguments) if one == "-H"]
    assert headers == [
        "content-type: application/json",
        "authorization: Api-Key $API_KEY",
        "x-data-logging-enabled: false",
    ]


async def ran(line: str, **variables: str) -> list[str]:
    """Run a line in a real shell, in which curl only says what it was given."""
    printing = """curl() { printf '%s\\0' "$@"; case "$*" in *@-*) cat;; esac; }\n"""
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-s"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=variables | {"PATH": "/usr/bin:/bin"},
    )
    out, _ = await shell.communicate((printing + line + "\n").encode())
    return out.decode().split("\0")


async def test_the_shell_fills_in_key_and_folder() -> None:
    """Those that it has; where any key will do, it needs none."""
    line = curl(URL, HEADERS, body("hi"), FOLDER)
    assert KEY not in line
    assert FOLDER not in line
    arguments = await ran(line, API_KEY="key", FOLDER_ID="folder")
    assert "authorization: Api-Key key" in arguments
    assert json.loads(arguments[-2])["modelUri"] == "gpt://folder/yandexgpt/latest"
    local = curl(URL, HEADERS, body("hi"), None, local=True)
    assert "authorization: Api-Key any" in await ran(local)
    assert "authorization: Api-Key mine" in await ran(local, API_KEY="mine")
    assert json.loads((await ran(local))[-2]) == body("hi")


async def test_a_long_request_is_no_argument() -> None:
    """Linux takes 128 KiB in one; the whole of it still gets there."""
    long = body("ы" * LONGEST)
    assert json.loads((await ran(curl(URL, HEADERS, long, None)))[-1]) == long


def test_a_token_is_called_a_token() -> None:
    """And the folder that goes with it in a header is a variable, too."""
    headers = {"authorization": "Bearer t1.secret", "x-folder-id": FOLDER}
    line = curl(URL, headers, {}, FOLDER)
    assert '"authorization: Bearer $IAM_TOKEN"' in line
    assert '"x-folder-id: $FOLDER_ID"' in line
    assert "t1.secret" not in line
    assert FOLDER not in line


def test_what_is_no_json_goes_as_it_is() -> None:
    """Half a surrogate pair, which no shell could pass on, is replaced."""
    assert "--data-raw '{\"'" in curl(URL, {}, '{"', None)
    assert "?" in curl(URL, {}, body("\ud800"), None) or "�" in curl(URL, {}, body("\ud800"), None)
