"""How long everything waits, by which clock. The bot runs on the defaults; tests shorten them."""

import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Durations in seconds; pauses are those before each further try."""

    # What a process holds: lanes, places, leadership

    lease: float = 12.0
    """Without a sign of life for so long, it is anybody's; at 2, network stalls made doubles."""
    sweep: float = 24 * 60 * 60.0
    """After so long a silence a worker's name is swept away, unless it still has a lane."""
    place_kept: float = 1.0
    """How long a process keeps a place for the model after use, while there are plenty."""
    place_look: float = 0.1
    """Between two looks whether there is a place for a call to the model."""

    # Storage

    storage_pauses: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0)
    """Before storage that is down is asked again; the last one repeats."""
    channel_silence: float = 3.0
    """How long the channel of interrupts may be silent before the server is asked for a sign."""
    server_silence: float = 60.0
    """How long the embedded server may be silent; even on slow disks it answers in milliseconds."""
    server_steady: float = 10.0
    """An embedded server that has lived so long is healthy: its pauses start over."""
    server_leave: float = 15.0
    """From SIGTERM to SIGKILL for the embedded server."""

    # Work

    take: float = 3.0
    """How long a worker waits for a lane at a time; its client gives up a call after 5."""
    tick: float = 1.5
    """Between two looks for lanes of the dead, and for people who wait long."""
    judge: float = 0.5
    """How long work waits to hear that it is cut short; Telegram may take longer to say who may."""
    late: float = 50.0
    """Who still waits after this is told so. A minute is what people bear."""
    notice: float = 10.0
    """What telling one of them may take."""
    failure: float = 1.0
    """After a failure of the work itself, doubled each time."""
    suspicion: float = 0.5
    """How long a worker lives before it begins with a suspect, doubled each time."""
    longest_suspicion: float = 10.0
    """At most so long: where nothing lives nothing is buried, and a suspect ends few others."""
    grace: float = 20.0
    """How long a stop waits for what is in hand before it is given back."""

    # Updates

    poll: int = 25
    """How long Telegram may hold a poll open; its servers close connections after about 39 s."""
    poll_silence: float = 40.0
    """A poll that is silent for so long is restarted, whatever its connection looks like."""
    polls_silence: float = 120.0
    """Without an answer to any poll for so long, the bot is unhealthy."""
    poll_pause: float = 30.0
    """Longest pause after polls that failed."""
    full_pause: float = 3.0
    """Longest pause while storage is full: what makes room must not wait long."""
    idle_pause: float = 0.5
    """Longest pause after polls that returned at once with nothing new."""
    at_once: float = 0.5
    """A poll that takes less has returned at once; with nothing new, Telegram holds it open."""
    told_pause: float = 90.0
    """Longest pause that Telegram may ask for after a poll."""
    conflict_pause: float = 5.0
    """Before polling again while another process does, or a webhook is set."""
    webhook_retry: float = 5.0
    """Before the webhook is set again, and until refused updates are posted again."""
    webhook_look: float = 60.0
    """Between two looks whether the webhook is still set."""

    # What people send

    quiet: float = 0.7
    """When nothing more comes for so long, what came is all of it; the apps are faster."""
    burst: float = 3.0
    """Longest time between two parts of one text, by their dates or as they come."""
    burst_look: float = 0.1
    """Between two looks for what comes behind the part of a text."""
    admin_lately: float = 10.0
    """How long Telegram's word on who is an admin holds, where only an interruption hangs on it."""
    language_kept: float = 60.0
    """How long it is remembered, for groups, which language a person has chosen for themselves."""
    pdf_quick: float = 3.0
    """What reading a PDF may take at first; one that takes longer lets the others go before it."""
    pdf: float = 20.0
    """What reading a PDF may take at most."""
    pdf_wait: float = 60.0
    """How long a PDF may wait until it is read."""

    # Telegram

    call: float = 60.0
    """What one call to Telegram may take in all."""
    send_pauses: tuple[float, ...] = (0.5, 1, 2, 4, 8)
    """Before each further try after Telegram failed; then it is given up."""
    unreachable_pauses: tuple[float, ...] = (0.5, 1, 2, 4, 8, *[15] * 40)
    """The same while it cannot be reached at all: ten minutes, for nothing is sent twice."""
    jitter: float = 1.0
    """At most so much is added to the time for which Telegram freezes a chat."""
    moved_pauses: tuple[float, ...] = (0.02, 0.1, 0.4)
    """Before it is asked again whether a group that has become a supergroup is dealt with."""
    moved_park: float = 1.0
    """After these, the conversation is given up for so long: an answer may take its time."""

    unfrozen: float = 2.0
    """How long it holds that a private chat was not frozen; first words then go without asking."""

    # An announcement

    announced: float = 0.1
    """Between two chats: of twenty calls a second that may wait, ten are left for the others."""
    announced_again: float = 5.0
    """After a chat that could not be told yet; the others go first."""
    progress: float = 3.0
    """Between two looks at how far it is."""

    # An answer that grows

    gap: float = 1.0
    """From the first words to the next look, in a private chat."""
    group_gap: float = 3.0
    """The same in a group."""
    wider: float = 1.3
    """How many times as long each gap is as the one before."""
    draft: float = 20.0
    """A draft that does not change is shown again after this; Telegram takes it away after 30."""
    typing_after: float = 0.5
    """After so long a silence the bot is shown to be typing."""
    typing: float = 4.5
    """How often typing is shown anew; Telegram shows it for 5 s, or until a message comes."""
    last_call: float = 2.0
    """How long a call under way is waited for in the end: it may bring a message's number."""

    # The model

    model_silence: float = 45.0
    """Without a word from the model for so long, it is given up, tries and pauses together."""
    answer: float = 600.0
    """What an answer may take in all, in case a stream drips for ever."""
    gather: float = 0.2
    """How long words gather before they are read, unless the body ends; the first ones do not."""
    ending: float = 0.1
    """How long a body may take to end after the last word, so that its connection is used again."""
    model_pauses: tuple[float, ...] = (0.5, 1, 2, 4, 8)
    """Before each retry, plus jitter; the last one repeats."""
    count: float = 10.0
    """What the tokeniser may take."""
    token: float = 5.0
    """What fetching a token may take; less than an answer, so that the old one serves meanwhile."""


def clock() -> float:
    """Seconds by a clock that also runs while the machine sleeps, where there is one."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
