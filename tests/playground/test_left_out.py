"""What of a history a request left out is found by comparing the two, whatever the reason."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.inspector.left_out import LeftOut, left_out
from handlers.dialogue.speakers import labelled, labelling
from handlers.dialogue.window import Estimate, fit, request
from storage.history import Past, encode
from storage.message import ChatKey, Exchange, Message, Role

PROMPT = "You are a helpful assistant."
CHAT = ChatKey(7)


def exchange(question: str, answer: str, sender: int = 0, name: str = "") -> Exchange:
    asked = Message(Role.USER, question, sender, name)
    return Exchange(asked, Message(Role.ASSISTANT, answer))


def kept(exchanges: Sequence[Exchange]) -> list[str]:
    return [encode(message) for one in exchanges for message in one]


def sent(past: Sequence[Exchange], question: str) -> list[dict[str, Any]]:
    messages = request(PROMPT, past, question)
    return [{"role": str(one.role), "text": one.text} for one in messages]


few = settings(max_examples=40)
words = st.text(min_size=1, max_size=30).filter(lambda text: "\ud800" not in text)
people = st.sampled_from([(0, ""), (1, "Ann"), (2, "Ann"), (3, "[Bob]: "), (4, "")])
exchanges = st.lists(
    st.builds(lambda q, a, who: exchange(q, a, *who), words, words, people), max_size=8
)


@few
@given(exchanges, words, st.integers(30, 400))
def test_it_is_what_the_window_leaves_out(past: list[Exchange], question: str, budget: int) -> None:
    """Exactly the oldest ones that the bot's own rule leaves out, with their number of letters."""
    given_ = fit(PROMPT, past, question, budget, Estimate())
    out = past[: len(past) - len(given_)]
    found = left_out(kept(past), sent(given_, question), budget)
    if out:
        letters = sum(len(message.text) for one in out for message in one)
        assert found == [LeftOut("window", 0, 2 * len(out), letters)]
    else:
        assert found == []


@few
@given(exchanges.filter(len), st.integers(60, 4000))
def test_labels_of_a_group_hide_nothing(past: list[Exchange], budget: int) -> None:
    """What people say there is sent with their names, and escaped where it looks like one."""
    worded = labelled(past)
    asked = labelling([*(one for pair in past for one in pair)])(past[-1].question)
    given_ = fit(PROMPT, worded, asked.text + "!", budget, Estimate())
    found = left_out(kept(past), sent(given_, asked.text + "!"), budget)
    assert found is not None
    assert sum(one.count for one in found) == 2 * (len(past) - len(given_))


@few
@given(exchanges.filter(len), words)
def test_what_is_asked_again_replaces_the_last(past: list[Exchange], question: str) -> None:
    """Whether the question is the same or was edited; the rest is sent as ever."""
    for asked in (past[-1].question.text, question):
        found = left_out(kept(past), sent(past[:-1], asked), 32_000)
        letters = sum(len(message.text) for message in past[-1])
        assert found == [LeftOut("replaced", 2 * len(past) - 2, 2, letters)]


@few
@given(exchanges, st.integers(0, 8))
def test_what_others_wrote_is_left_out_as_unreadable(past: list[Exchange], at: int) -> None:
    """Between exchanges that are sent; the bot reads them as the product does."""
    entries = kept(past)
    at = min(2 * at, len(entries))
    entries[at:at] = ["not JSON", '{"role": "robot", "text": "x"}']
    read = Past.parse(["0", len(entries), 0, "", "", 0, 0, *entries], CHAT).exchanges
    found = left_out(entries, sent(read, "next"), 32_000)
    if at == 0:  # nothing shows that it was not only too old
        assert found in ([LeftOut("window", 0, 2, 38)], [LeftOut("unreadable", 0, 2, 38)])
    else:
        assert found == [LeftOut("unreadable", at, 2, 38)]


def test_half_an_exchange_at_the_beginning_is_never_sent() -> None:
    """Exchanges are counted from the newest."""
    entries = [encode(Message(Role.ASSISTANT, "late")), *kept([exchange("a", "b")])]
    assert left_out(entries, sent([exchange("a", "b")], "c"), 100) == [LeftOut("unpaired", 0, 1, 4)]


def test_one_and_the_same_exchange_twice() -> None:
    """Which of them is sent is told by what would have fitted."""
    past = [exchange("hi", "hello"), exchange("hi", "hello")]
    asked = sent(past[:1], "hi")
    assert left_out(kept(past), asked, 32_000) == [LeftOut("replaced", 2, 2, 7)]
    assert left_out(kept(past), asked, 40) == [LeftOut("window", 0, 2, 7)]


def test_another_programs_request_belongs_to_no_history() -> None:
    """It is not explained by a history that is not its own, nor if it is malformed."""
    entries = kept([exchange("a", "b")])
    assert left_out(entries, sent([exchange("x", "y")], "z"), 100) is None
    for messages in ([], [{"role": "robot", "text": "x"}], ["x"], [{"role": "user"}]):
        assert left_out(entries, messages, 100) is None


def test_without_a_known_window() -> None:
    """A question that is asked again is recognised by its words."""
    entries = kept([exchange("a", "b")])
    assert left_out(entries, sent([], "a"), None) == [LeftOut("replaced", 0, 2, 2)]
    assert left_out(entries, sent([], "c"), None) == [LeftOut("window", 0, 2, 2)]
