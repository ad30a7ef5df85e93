"""Every key in Redis, all in one place, because no two may be equal.

All keys of a bot share the hash tag ``{bot id}``, so that scripts also work on a cluster and
several bots can share one server.
"""

from storage.message import ChatKey


def tag(bot_id: int) -> str:
    """Prefix of all keys of a bot."""
    return f"{{{bot_id}}}:"


def history(bot_id: int, chat: ChatKey) -> str:
    """List of the conversation's messages, oldest first: JSON objects ``{"role", "text"}``.

    With ``from``, ``name`` and ``at`` if it is known who wrote them, and when, and with the numbers
    of the messages that they quote, ``quoted``, and from which they are joined, ``parts``.
    """
    return f"{{{bot_id}}}:history:{chat}"


def epoch(bot_id: int, chat: ChatKey) -> str:
    """Number of the conversation's resets so far."""
    return f"{{{bot_id}}}:epoch:{chat}"


def state(bot_id: int, chat: ChatKey) -> str:
    """Hash of the conversation's last exchange, plus ``told``, ``floor``, ``bytes``, ``length``.

    ``asked`` is the number of its question on Telegram, ``answer`` those of the messages that
    answer it, ``revision`` how often it was answered before. ``told``: the person knows that the
    model no longer gets the oldest turns. Edits of messages up to the number ``floor`` are ignored:
    those were forgotten. ``bytes`` is the size of the history as long as it has ``length``
    messages.
    """
    return f"{{{bot_id}}}:state:{chat}"


def forgotten(bot_id: int, chat: ChatKey) -> str:
    """List of a conversation's messages after a reset, as long as that can be undone."""
    return f"{{{bot_id}}}:forgotten:{chat}"


def usage(bot_id: int, chat: ChatKey) -> str:
    """Hash of the conversation's ``answers``, ``prompt_tokens`` and ``completion_tokens``."""
    return f"{{{bot_id}}}:usage:{chat}"


def settings(bot_id: int, chat: ChatKey) -> str:
    """Hash of what a chat, or a topic of its own, has chosen: see `storage.chat_settings`."""
    return f"{{{bot_id}}}:settings:{chat}"


def settings_of(bot_id: int, lane: ChatKey) -> list[str]:
    """The keys of a conversation's settings: its chat's, and its topic's."""
    return [settings(bot_id, ChatKey(lane.chat_id)), settings(bot_id, lane.conversation)]


def heard(bot_id: int, lane: ChatKey) -> str:
    """Sorted set of what was lately said around the bot, by messages' numbers: `storage.hearing`.

    Members are the time of arrival, the number, and an entry as in a `history`.
    """
    return f"{{{bot_id}}}:heard:{lane}"


def unheard(bot_id: int, chat_id: int) -> str:
    """Hash of the people in a group whose words are not kept there, by their ids."""
    return f"{{{bot_id}}}:unheard:{chat_id}"


def hearing(bot_id: int, lane: ChatKey) -> list[str]:
    """The keys that `hear.lua` needs of a conversation."""
    of_lane = heard(bot_id, lane), unheard(bot_id, lane.chat_id), state(bot_id, lane)
    return [*settings_of(bot_id, lane), *of_lane]


def successors(bot_id: int) -> str:
    """Hash of groups that have become supergroups: the old id, and the new one."""
    return f"{{{bot_id}}}:successors"


def access(bot_id: int) -> str:
    """Hash of who was let in or shut out by a command: an id, and a `storage.access.Listed`.

    Its field ``version`` changes with every other one.
    """
    return f"{{{bot_id}}}:access"


def request(bot_id: int, person: int) -> str:
    """Hash of what the owners were asked about a stranger, and of the decision.

    ``update`` asked, at the time ``asked``, for one of this ``name``; ``told:<owner>`` is the
    number of the message to an owner. ``verdict`` is ``allow`` or ``deny``, by ``owner``, whose
    name is ``decider``. ``welcome`` is the `storage.change.Notice` to whoever is let in.
    """
    return f"{{{bot_id}}}:request:{person}"


def requests(bot_id: int) -> str:
    """How many strangers the owners were asked about within the hour."""
    return f"{{{bot_id}}}:requests"


def refused(bot_id: int, chat_id: int, person: int) -> str:
    """The update in which somebody was last refused in a group; exists while that is enough."""
    return f"{{{bot_id}}}:refused:{chat_id}:{person}"


def invitations(bot_id: int) -> str:
    """Hash of open invitations: a code, and a `storage.access.Invitation`."""
    return f"{{{bot_id}}}:invitations"


def guesses(bot_id: int, person: int) -> str:
    """Set of the codes that a stranger tried in vain within the hour."""
    return f"{{{bot_id}}}:guesses:{person}"


def chats(bot_id: int) -> str:
    """Hash of the chats that the bot is in, or was: the id, and JSON; see `storage.chats`."""
    return f"{{{bot_id}}}:chats"


def used(bot_id: int) -> str:
    """Sorted set of those chats, by when the bot was last used there, in seconds since 1970."""
    return f"{{{bot_id}}}:used"


def conversation(bot_id: int, chat: ChatKey) -> list[str]:
    """The keys that a reset touches: `history`, `epoch`, `state`, `forgotten` and `heard`."""
    return [name(bot_id, chat) for name in (history, epoch, state, forgotten, heard)]


def kept(bot_id: int, chat: ChatKey) -> dict[str, str]:
    """All keys kept of a chat with their Redis types, in the order of `migrate.lua`."""
    kinds = {history: "list", epoch: "string", state: "hash", forgotten: "list", usage: "hash"}
    of_lane = {name(bot_id, chat): kind for name, kind in kinds.items()}
    of_lane |= {settings(bot_id, chat): "hash", heard(bot_id, chat): "zset"}
    return of_lane | {unheard(bot_id, chat.chat_id): "hash"}


def mailbox(bot_id: int, lane: ChatKey) -> str:
    """List of the lane's waiting updates, the one in work first; see `storage.inbox`."""
    return f"{mailboxes(bot_id)}{lane}"


def mailboxes(bot_id: int) -> str:
    """Prefix of all mailboxes; a lane's name follows."""
    return f"{{{bot_id}}}:mailbox:"


def outbox(bot_id: int, lane: ChatKey) -> str:
    """Hash of the state of the update in work.

    ``reply``, ``shown``, ``partial``, ``joined``, ``failures``, ``failure``, ``begun``, ``told``,
    ``invitation``, ``announced``, ``ended``.
    """
    return f"{outboxes(bot_id)}{lane}"


def outboxes(bot_id: int) -> str:
    """Prefix of all outboxes; a lane's name follows."""
    return f"{{{bot_id}}}:outbox:"


def opened(bot_id: int, lane: ChatKey) -> list[str]:
    """The keys that `opened.lua` reads besides the mailbox."""
    of_lane = [name(bot_id, lane) for name in (outbox, history, epoch, state)]
    more = pace(bot_id, lane.chat_id), access(bot_id), chats(bot_id)
    return [*of_lane, *more, *settings_of(bot_id, lane), heard(bot_id, lane)]


def interrupts(bot_id: int) -> str:
    """Channel that names a lane when an update comes in that may cut short what waits there."""
    return f"{{{bot_id}}}:interrupts"


def ready(bot_id: int) -> str:
    """Stream of the lanes whose mailboxes are not empty."""
    return f"{{{bot_id}}}:ready"


def parked(bot_id: int) -> str:
    """Sorted set of lanes whose chats Telegram has frozen, by when they resume (ms since 1970)."""
    return f"{{{bot_id}}}:parked"


def seen(bot_id: int) -> str:
    """Sorted set of the newest update ids, by when they arrived."""
    return f"{{{bot_id}}}:seen"


def dead(bot_id: int) -> str:
    """List of dead letters, oldest first: JSON objects ``{"reason", "update"}``, with an ``id``."""
    return f"{{{bot_id}}}:dead"


def offered(bot_id: int, lane: ChatKey) -> str:
    """What an owner may confirm in this chat now; it expires."""
    return f"{{{bot_id}}}:offered:{lane}"


def resetting(bot_id: int) -> str:
    """Set of the conversations that a reset of all chats has not come to yet."""
    return f"{{{bot_id}}}:resetting"


def declined(bot_id: int) -> str:
    """Sorted set of the chats that want no announcements, by when they said so (s since 1970)."""
    return f"{{{bot_id}}}:declined"


def menus(bot_id: int) -> str:
    """Sorted set of the chats with owners that have a menu of their own, by when it was set."""
    return f"{{{bot_id}}}:menus"


def draft(bot_id: int, lane: ChatKey) -> str:
    """What an owner may confirm to announce: a number, and JSON; it expires."""
    return f"{{{bot_id}}}:draft:{lane}"


def announcement(bot_id: int) -> str:
    """Hash of the announcement under way; see `storage.announcement`."""
    return f"{{{bot_id}}}:announcement"


def announcing(bot_id: int) -> str:
    """Sorted set of the chats it is for: by last use, below zero those dealt with."""
    return f"{{{bot_id}}}:announcing"


def announcer(bot_id: int) -> str:
    """Lease of the process that tells it to them."""
    return f"{{{bot_id}}}:announcer"


def poller(bot_id: int) -> str:
    """Lease of the process that polls Telegram, or keeps the webhook."""
    return f"{{{bot_id}}}:poller"


def webhook_secret(bot_id: int) -> str:
    """The secret that Telegram shows at the webhook, if none is configured."""
    return f"{{{bot_id}}}:webhook-secret"


def pace(bot_id: int, chat_id: int) -> str:
    """Hash of how much of a chat's budget is spent, and until when it is frozen: see `pace.lua`."""
    return f"{{{bot_id}}}:pace:{chat_id}"


def pace_of_all(bot_id: int) -> str:
    """Hash of how much of the budget of all chats together is spent."""
    return f"{{{bot_id}}}:pace"


def generations(bot_id: int) -> str:
    """Sorted set of generations under way in all processes, by when their leases end."""
    return f"{{{bot_id}}}:generations"


def mark(bot_id: int) -> str:
    """Written after what replicas must confirm; see `storage.server.script`."""
    return f"{{{bot_id}}}:mark"


def progress(bot_id: int) -> str:
    """How far an import has come; see `storage.archive`."""
    return f"{{{bot_id}}}:progress"


def full(bot_id: int) -> str:
    """Exists for a while after an update was refused for lack of memory."""
    return f"{{{bot_id}}}:full"


def nothing(bot_id: int) -> str:
    """Never exists. A script that names it runs whole or not at all, even while its slot moves.

    A cluster that moves a slot key by key refuses a script as long as the keys it names are not
    all in one place; a script that has already begun fails at the first key that is missing.
    """
    return f"{{{bot_id}}}:nothing"
