"""What of a history goes into a request."""

from hypothesis import given
from hypothesis import strategies as st

from handlers.dialogue.window import Estimate, fit, request
from storage.message import Exchange, Message, Role

texts = st.text(min_size=1, max_size=300)
pasts = st.lists(st.tuples(texts, texts), max_size=12).map(
    lambda turns: [
        Exchange(Message(Role.USER, question), Message(Role.ASSISTANT, answer))
        for question, answer in turns
    ]
)


@given(pasts, texts, st.integers(0, 2000))
def test_whole_turns_of_the_newest_past(past: list[Exchange], question: str, budget: int) -> None:
    """System prompt first, question last, between them the newest whole turns within the budget."""
    estimate = Estimate()
    given = fit("system", past, question, budget, estimate)
    assert given == past[len(past) - len(given) :]
    system, *middle, last = request("system", given, question)
    assert (system, last) == (Message(Role.SYSTEM, "system"), Message(Role.USER, question))
    assert middle == [message for exchange in given for message in exchange]
    if middle:
        assert estimate.tokens([system, *middle, last]) <= budget
    if len(given) < len(past):
        longer = request("system", past[len(past) - len(given) - 1 :], question)
        assert estimate.tokens(longer) > budget - 10


@given(st.lists(st.tuples(texts, st.integers(-5, 10_000)), max_size=20))
def test_the_estimate_stays_within_bounds(answers: list[tuple[str, int]]) -> None:
    """Whatever a model says it counted, 1.5 to 8 characters a token are believed."""
    estimate = Estimate()
    for text, counted in answers:
        estimate.learn([Message(Role.USER, text)], counted)
        assert 1.5 <= estimate.letters_a_token <= 8


def test_the_estimate_learns() -> None:
    """After a few long requests the estimate is the model's own count."""
    estimate = Estimate()
    for _ in range(5):
        estimate.learn([Message(Role.USER, "x" * 5000)], 1000)
    assert 4.5 < estimate.letters_a_token <= 5


def test_nothing_is_learnt_from_nothing() -> None:
    """A refusal counts no tokens, and teaches none."""
    estimate = Estimate()
    estimate.learn([Message(Role.USER, "x" * 5000)], 0)
    assert estimate.letters_a_token == 3
