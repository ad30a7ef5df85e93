"""``python -m bot export`` and ``import``: nothing is lost on the way, and nothing mixed up."""

import itertools
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.app import running
from bot.operator import transfer
from bot.operator.transfer import MovingRefused, export, import_
from bot.settings import Settings
from storage import keys
from storage.archive import Archive, Changed, Item
from storage.arrivals import Arrival
from storage.change import Forgotten, Kept
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.lease import Lease
from storage.message import ChatKey, Exchange, Message, Role
from storage.owners import OwnersMenus
from storage.server.connect import StorageUnavailable, connect
from storage.timing import Timing
from tests.conftest import World, changed, configured
from tests.history import History
from tests.valkey import own_valkey

_bot_ids = itertools.count(9_100_000)
TOPIC = ChatKey(-6, 7)


def settings_of(bot_id: int, redis_url: str) -> Settings:
    """Settings of a bot whose data are there, and whose processes leave no trace when they end."""
    given: dict[str, Any] = {
        "telegram_token": f"{bot_id}:TEST-TOKEN",
        "folder_id": "folder",
        "api_key": "key",
        "redis_url": redis_url,
    }
    return changed(configured(**given), lease=0.0)


@pytest.fixture
async def home(redis: Redis, valkey: str) -> Settings:
    """A bot that has data of every kind, and has not run for long."""
    bot_id = next(_bot_ids)
    inbox = Inbox(redis, bot_id, "one")
    await inbox.begin()
    for number, chat in enumerate([ChatKey(1), TOPIC, ChatKey(3)], 1):
        await inbox.put(Arrival(chat, number, f'{{"update_id": {number}}}'))
        (claim,) = await inbox.take(1, 1)
        exchange = Exchange(
            Message(Role.USER, f"вопрос {chat}", more={"voice": [1]}),
            Message(Role.ASSISTANT, "ответ"),
        )
        await inbox.commit(claim, "[]", Kept(exchange, 0, 3, 4, number, model="gpt://f/m"))
        if chat == TOPIC:
            await inbox.done(claim)
            await inbox.put(Arrival(chat, 9, '{"update_id": 9}'))
            (claim,) = await inbox.take(1, 1)
            await inbox.commit(claim, "[]", Forgotten(chat))
        if chat != ChatKey(3):
            await inbox.done(claim)
    # The third has a reply that was kept, and not sent yet; and more waits behind it.
    await inbox.put(Arrival(ChatKey(3), 4, '{"update_id": 4}', interrupts=True))
    admission = inbox.access.admission(claim, "")
    await admission.knock(1, 5, "Vera", 0, may_ask=True)
    await admission.told(5, 7, 70)
    await admission.decide(5, allowed=True, owner=7, decider="Olga")
    await admission.invite(2, 3600, 7)
    await DeadLetters(redis, bot_id).add("{}", "odd")
    await OwnersMenus(redis, bot_id).add(7)
    await redis.set(keys.webhook_secret(bot_id), "secret")
    await redis.hset(
        keys.settings(bot_id, TOPIC), mapping={"version": 2, "prompt": "Будь\nкраток."}
    )
    await inbox.leave()
    return settings_of(bot_id, valkey)


@pytest.fixture
async def elsewhere_url() -> AsyncIterator[str]:
    """Another server."""
    async with own_valkey() as server:
        yield server.url


async def kept(url: str, bot_id: int) -> dict[str, Item | None]:
    """All that is kept of a bot on a server."""
    redis = connect(url, connections=2)
    archive = Archive(redis, bot_id)
    found = {name: await archive.read(name) for name in await archive.names(whole=True)}
    await redis.aclose()
    return found


async def test_there_and_back(home: Settings, elsewhere_url: str, tmp_path: Path) -> None:
    """What is kept is the same elsewhere, and again after the way back; what waited is answered."""
    there = settings_of(home.bots[0].bot_id, elsewhere_url)
    assert home.redis_url
    before = await kept(home.redis_url.get_secret_value(), home.bots[0].bot_id)
    assert {name.partition(":")[0] for name in before} == {
        "history", "forgotten", "epoch", "state", "usage", "settings", "mailbox", "outbox", "seen",
        "dead", "webhook-secret", "access", "request", "invitations", "menus",
    }  # fmt: skip
    await export(home, tmp_path / "one", anyway=False)
    await import_(there, tmp_path / "one", anyway=False)
    assert await kept(elsewhere_url, home.bots[0].bot_id) == before
    redis = connect(elsewhere_url, connections=2)
    inbox = Inbox(redis, home.bots[0].bot_id, "two")
    await inbox.begin()
    (claim,) = await inbox.take(5, 1)
    opened = await inbox.open(claim)
    assert (opened.head.update, opened.reply) == ('{"update_id": 3}', "[]")
    assert len(opened.interrupts) == 1
    assert await inbox.put(Arrival(ChatKey(1), 1, '{"update_id": 1}')) == ["known"]
    await inbox.leave()
    await redis.aclose()
    await export(there, tmp_path / "two", anyway=False)
    lines = [(tmp_path / name).read_text().splitlines()[1:] for name in ("one", "two")]
    assert lines[0] == lines[1]


@pytest.mark.slow
async def test_an_interrupted_export_goes_on(
    home: Settings, elsewhere_url: str, tmp_path: Path
) -> None:
    """Cut off anywhere, even within a line, it goes on when it is run again."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    await export(home, whole, anyway=False)
    content = whole.read_bytes()
    for end in {*range(0, len(content), 37), content.index("вопрос".encode()) + 1}:
        cut.write_bytes(content[:end])
        with pytest.raises(MovingRefused):
            await import_(settings_of(home.bots[0].bot_id, elsewhere_url), cut, anyway=False)
        await export(home, cut, anyway=False)
        assert sorted(cut.read_text().splitlines()[1:]) == sorted(
            whole.read_text().splitlines()[1:]
        )
    with pytest.raises(MovingRefused, match="whole already"):
        await export(home, whole, anyway=False)
    assert whole.stat().st_mode & 0o777 == 0o600


async def test_an_interrupted_import_goes_on(
    home: Settings, elsewhere_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off after any key, it goes on there when it is run again; a bot waits for its end."""
    there, file = settings_of(home.bots[0].bot_id, elsewhere_url), tmp_path / "file"
    await export(home, file, anyway=False)
    write, left = Archive.write, 0

    async def cut(self: Archive, item: Item, before: str, after: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise StorageUnavailable("cut off")
        await write(self, item, before, after)

    monkeypatch.setattr(Archive, "write", cut)
    for steps in itertools.count(1):
        left = steps % 3
        try:
            await import_(there, file, anyway=False)
        except StorageUnavailable:
            continue
        break
    assert home.redis_url
    before = await kept(home.redis_url.get_secret_value(), home.bots[0].bot_id)
    assert await kept(elsewhere_url, home.bots[0].bot_id) == before
    with pytest.raises(MovingRefused, match="data of this bot already"):
        await import_(there, file, anyway=False)


async def test_a_bot_waits_for_its_data(elsewhere: World) -> None:
    """A bot does not begin with half of an import."""
    await elsewhere.redis.set(keys.progress(elsewhere.bot_id), "file 3")
    with pytest.raises(StorageUnavailable, match="not finished"):
        async with running(elsewhere.settings):
            pass


async def test_a_living_bot_is_left_alone(
    home: Settings, redis: Redis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a process polls or works, neither is done, unless told so."""
    file = tmp_path / "file"
    async with Lease(redis, keys.poller(home.bots[0].bot_id), "one").leading():
        with pytest.raises(MovingRefused, match="The bot runs"):
            await export(home, file, anyway=False)
        await export(home, file, anyway=True)
    inbox = Inbox(redis, home.bots[0].bot_id, "one")
    await inbox.take(1, 0.01)
    with pytest.raises(MovingRefused, match="The bot runs"):
        await import_(changed(home, lease=Timing().lease), file, anyway=False)
    assert "exported 19 of 19 keys" in capsys.readouterr().err


async def test_mixed_because_told(home: Settings, redis: Redis, tmp_path: Path) -> None:
    """Into a bot that has data: its history gives way, but no update of either is lost."""
    file, lane = tmp_path / "file", ChatKey(3)
    await export(home, file, anyway=False)
    inbox = Inbox(redis, home.bots[0].bot_id, "two")
    (claim,) = await inbox.stale(1)
    await inbox.done(claim)
    (claim,) = await inbox.take(1, 1)
    await import_(home, file, anyway=True)
    opened = await inbox.open(claim)
    assert (opened.head.update, opened.reply) == ('{"update_id": 4}', "")
    waiting = [entry.update for entry in await inbox.following(claim, 9)]
    assert waiting == ['{"update_id": 3}', '{"update_id": 4}']
    assert len((await History(redis, home.bots[0].bot_id).newest(lane, 9999)).exchanges) == 1
    assert len(await DeadLetters(redis, home.bots[0].bot_id).all()) == 2
    assert int(await redis.xlen(keys.ready(home.bots[0].bot_id))) == 1


@pytest.mark.parametrize("content", ["my notes", '{"a": 1}', "\0\xff", '{"yandexgpt-x": 1}\n'])
async def test_another_file_is_left_alone(home: Settings, tmp_path: Path, content: str) -> None:
    """What stands in a file that is none of ours is never written over, nor imported."""
    file = tmp_path / "file"
    file.write_bytes(content.encode("latin-1"))
    for act in (export, import_):
        with pytest.raises(MovingRefused):
            await act(home, file, anyway=True)
    assert file.read_bytes() == content.encode("latin-1")


async def test_where_nothing_can_be_written(home: Settings, tmp_path: Path) -> None:
    """A place where no file can be is told in a sentence."""
    for place in (tmp_path, tmp_path / "none" / "file"):
        with pytest.raises(MovingRefused):
            await export(home, place, anyway=False)


@pytest.mark.parametrize("answers", [True, False])
async def test_the_bot_ran_in_between(
    home: Settings, redis: Redis, tmp_path: Path, *, answers: bool
) -> None:
    """An export does not go on with a file that tells of an earlier moment."""
    file = tmp_path / "file"
    await export(home, file, anyway=False)
    file.write_bytes(file.read_bytes()[:-200])
    inbox = Inbox(redis, home.bots[0].bot_id, "one")
    if answers:  # what waited, all of it, and nothing new has come
        for claim in [*await inbox.stale(9), *await inbox.mine([]), *await inbox.take(9, 0.01)]:
            await inbox.done(claim)
        for claim in await inbox.take(9, 0.01):
            await inbox.done(claim)
    else:
        await inbox.put(Arrival(ChatKey(1), 77, '{"update_id": 77}'))
    with pytest.raises(MovingRefused, match="has run since"):
        await export(home, file, anyway=False)


async def test_a_write_that_is_repeated(home: Settings, redis: Redis) -> None:
    """Its reply was lost, and redis-py says it again: it is done, and done once."""
    archive = Archive(redis, home.bots[0].bot_id)
    item = Item("dead", "list", -1, ["one"])
    for _ in range(2):
        await archive.write(item, "", "file 1")
    assert len(await redis.lrange(keys.dead(home.bots[0].bot_id), 0, -1)) == 2
    with pytest.raises(Changed):
        await archive.write(item, "", "other 1")


async def test_whose_file(home: Settings, valkey: str, tmp_path: Path) -> None:
    """A file of another bot, of another version, or of another program is refused."""
    file = tmp_path / "file"
    await export(home, file, anyway=False)
    with pytest.raises(MovingRefused, match=f"of bot {home.bots[0].bot_id}, and"):
        await import_(settings_of(5, valkey), file, anyway=False)
    with pytest.raises(MovingRefused, match="of bot"):
        await export(settings_of(5, valkey), file, anyway=False)
    later = file.read_text().replace(f'{{"{transfer.FORMAT}": 1', f'{{"{transfer.FORMAT}": 2')
    file.write_text(later)
    with pytest.raises(MovingRefused, match="version 2"):
        await import_(home, file, anyway=False)
    with pytest.raises(MovingRefused, match="No such file"):
        await import_(home, tmp_path / "none", anyway=False)
    two = home.model_copy(update={"bots": home.bots * 2})
    with pytest.raises(MovingRefused, match="One bot at a time"):
        await export(two, tmp_path / "other", anyway=False)


DAMAGED = [
    Item("history:5", "list", -1, ['{"role": "user", "text": "x"}', "no JSON"]),
    Item("history:5", "list", -1, ['{"role": "tool", "text": "x"}']),
    Item("forgotten:5", "list", -1, ['{"role": "user"}']),
    Item("history:5", "string", -1, ["word"]),
    Item("history:word", "list", -1, ['{"role": "user", "text": "x"}']),
    Item("epoch:5", "string", -1, ["word"]),
    Item("state:5", "hash", -1, ["asked", "word"]),
    Item("state:5", "hash", -1, ["answer", "1 word"]),
    Item("state:5", "hash", -1, ["floor", ""]),
    Item("usage:5", "hash", -1, ["answers", "1.5"]),
    Item("settings:5", "hash", -1, ["version", "many"]),
    Item("usage:5", "hash", -1, ["completion:gpt://f/m:prompt_tokens", "many"]),
    Item("outbox:5", "hash", -1, ["begun", "word"]),
    Item("outbox:5", "hash", -1, ["failures", "1e3"]),
    Item("outbox:5", "hash", -1, ["joined", "9" * 20]),
    Item("outbox:5", "hash", -1, ["shown", "0 word"]),
    Item("outbox:5", "hash", -1, ["reply", "{"]),
    Item("mailbox:5", "list", -1, ["garbage"]),
    Item("dead", "list", -1, ["no JSON"]),
    Item("dead", "list", -1, ['{"reason": "x"}']),
    Item("dead", "list", -1, ['{"reason": "x", "update": 5}']),
    Item("seen", "zset", -1, ["word", "1"]),
    Item("seen", "zset", -1, ["5", "nan"]),
    Item("webhook-secret", "string", -1, ["no secret"]),
]


@pytest.mark.slow
@pytest.mark.parametrize("item", DAMAGED, ids=str)
async def test_what_is_damaged_is_not_imported(
    home: Settings, elsewhere_url: str, tmp_path: Path, item: Item
) -> None:
    """It is refused by its line, before anything is written."""
    file = tmp_path / "file"
    await export(home, file, anyway=False)
    *lines, end = file.read_text().splitlines()
    fields = {"key": item.name, item.kind: transfer._nested(item)}
    lines.append(json.dumps(fields))
    file.write_text("\n".join([*lines, json.dumps({"end": json.loads(end)["end"] + 1}), ""]))
    with pytest.raises(MovingRefused, match=f"line {len(lines)} cannot be read"):
        await import_(settings_of(home.bots[0].bot_id, elsewhere_url), file, anyway=False)
    assert await kept(elsewhere_url, home.bots[0].bot_id) == {}


async def test_what_is_damaged_is_left_out(
    home: Settings,
    elsewhere_url: str,
    redis: Redis,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An export names it, and can be imported."""
    await redis.set(keys.state(home.bots[0].bot_id, ChatKey(76)), "word")
    await redis.set(keys.history(home.bots[0].bot_id, ChatKey(77)), "word")
    await redis.xadd(keys.state(home.bots[0].bot_id, ChatKey(77)), {"a": "b"})
    await redis.rpush(keys.history(home.bots[0].bot_id, ChatKey(78)), b"\xff")
    await redis.set(keys.history(home.bots[0].bot_id, ChatKey(79)).encode() + b"\xff", "word")
    await export(home, tmp_path / "file", anyway=False)
    said = capsys.readouterr().err
    for name in ("state:76", "history:77", "state:77", "history:78"):
        assert f"left out {name}" in said
    await import_(settings_of(home.bots[0].bot_id, elsewhere_url), tmp_path / "file", anyway=False)
    assert "history:77" not in await kept(elsewhere_url, home.bots[0].bot_id)


@pytest.mark.slow
@given(
    line=st.text(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.dictionaries(
            st.sampled_from(["key", "list", "hash", "zset", "string", "expires", "end"]), inner
        ),
    ).map(json.dumps)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_line(line: str, tmp_path: Path) -> None:
    """Whatever stands in a file, it is read or refused before anything is written."""
    file = tmp_path / "file"
    header = json.dumps({transfer.FORMAT: 1, "bot": 5, "file": "f", "stamp": "0 "})
    with file.open("w", encoding="utf-8", errors="surrogatepass") as written:
        written.write(f'{header}\n{line}\n{{"end": 1}}\n')
    try:
        transfer._checked(file, 5)
    except MovingRefused:
        return
    [item] = transfer._items(file)
    assert item.kind in {"list", "hash", "zset", "string"}


async def test_what_older_versions_kept(redis: Redis) -> None:
    """Their exports are read; what nobody needs any more is left out, and the rest comes."""
    archive = Archive(redis, next(_bot_ids))
    former = Item("interrupt:5", "string", -1, ['1 {"update_id": 1}'])
    mailbox = Item("mailbox:5", "list", -1, ['1 {"update_id": 1}', '1*{"update_id": 2}'])
    for number, item in enumerate((former, mailbox), 1):
        item.check()
        await archive.write(item, str(number - 1) if number > 1 else "", str(number))
    assert await archive.names(whole=True) == ["mailbox:5"]


@pytest.mark.parametrize("begun", [False, True])
async def test_nobody_else_reads_it(home: Settings, tmp_path: Path, *, begun: bool) -> None:
    """A file that was there becomes as private as a new one, whatever is in it of ours."""
    file = tmp_path / "bot.jsonl"
    await export(home, file, anyway=False)
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]) if begun else b"")
    file.chmod(0o666)
    await export(home, file, anyway=False)
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_bytes().splitlines()) == len(lines)


async def test_what_is_not_ours_stays_as_it_is(home: Settings, tmp_path: Path) -> None:
    """A file that is refused is not made private."""
    file = tmp_path / "other"
    file.write_text("something else")
    file.chmod(0o644)
    with pytest.raises(MovingRefused, match="something else"):
        await export(home, file, anyway=False)
    assert file.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_somebody_elses_file(home: Settings, tmp_path: Path) -> None:
    """A file whose owner could read what is written is refused."""
    file = tmp_path / "theirs"
    file.touch()
    os.chown(file, 12345, 12345)
    with pytest.raises(MovingRefused, match="somebody else's"):
        await export(home, file, anyway=False)
    assert file.read_bytes() == b""
