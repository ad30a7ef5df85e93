"""Every key in Redis, and only here: what matters about a key is that no other equals it.

All keys of one bot share the hash tag ``{bot id}``, so that scripts work on a cluster too, and
several bots can live on one server.
"""

from storage.message import ChatKey


def tag(bot_id: int) -> str:
    """What the names of all keys of a bot begin with."""
    return f"{{{bot_id}}}:"


def history(bot_id: int, chat: ChatKey) -> str:
    """List of the conversation's messages, oldest first: JSON objects ``{"role", "text"}``.

    With ``from``, ``name`` and ``at`` where it is known who wrote them, and when.
    """
    return f"{{{bot_id}}}:history:{chat}"


def epoch(bot_id: int, chat: ChatKey) -> str:
    """Number of the conversation's resets so far."""
    return f"{{{bot_id}}}:epoch:{chat}"


def state(bot_id: int, chat: ChatKey) -> str:
    """Hash of the conversation's last exchange; and ``told`` and ``floor``.

    ``asked`` is the number of its question on Telegram, ``answer`` those of the messages that
    answer it, ``revision`` how often it was answered before. ``told``: the person knows that the
    model does not get the oldest turns any more. Edits of messages up to the number ``floor`` ask
    nothing: what they said was forgotten. ``bytes`` is how many the history has, as long as its
    number of messages is ``length``.
    """
    return f"{{{bot_id}}}:state:{chat}"


def forgotten(bot_id: int, chat: ChatKey) -> str:
    """List of a conversation's messages after a reset, for as long as it can be taken back."""
    return f"{{{bot_id}}}:forgotten:{chat}"


def usage(bot_id: int, chat: ChatKey) -> str:
    """Hash of the conversation's ``answers``, ``prompt_tokens`` and ``completion_tokens``."""
    return f"{{{bot_id}}}:usage:{chat}"


def successors(bot_id: int) -> str:
    """Hash of the groups that have become supergroups: their numbers, and what those are now."""
    return f"{{{bot_id}}}:successors"


def conversation(bot_id: int, chat: ChatKey) -> list[str]:
    """What is forgotten with a conversation: `history`, `epoch`, `state` and `forgotten`."""
    return [name(bot_id, chat) for name in (history, epoch, state, forgotten)]


def kept(bot_id: int, chat: ChatKey) -> dict[str, str]:
    """Name all that is kept of a chat, with Redis's types, in the order of `migrate.lua`."""
    kinds = {history: "list", epoch: "string", state: "hash", forgotten: "list", usage: "hash"}
    return {name(bot_id, chat): kind for name, kind in kinds.items()}


def mailbox(bot_id: int, lane: ChatKey) -> str:
    """List of the lane's waiting updates, the one in work first; see `storage.inbox`."""
    return f"{mailboxes(bot_id)}{lane}"


def mailboxes(bot_id: int) -> str:
    """What the names of all mailboxes begin with; a lane's name follows."""
    return f"{{{bot_id}}}:mailbox:"


def outbox(bot_id: int, lane: ChatKey) -> str:
    """Hash of what is known of the update in work.

    ``reply``, ``shown``, ``partial``, ``joined``, ``failures``, ``failure``, ``begun``, ``told``.
    """
    return f"{outboxes(bot_id)}{lane}"


def outboxes(bot_id: int) -> str:
    """What the names of all outboxes begin with; a lane's name follows."""
    return f"{{{bot_id}}}:outbox:"


def interrupts(bot_id: int) -> str:
    """Channel on which a lane is told as an update comes in that may cut short what waits there."""
    return f"{{{bot_id}}}:interrupts"


def ready(bot_id: int) -> str:
    """Stream of the lanes whose mailboxes are not empty."""
    return f"{{{bot_id}}}:ready"


def parked(bot_id: int) -> str:
    """Sorted set of lanes whose chats Telegram has frozen, by when they go on (ms since 1970)."""
    return f"{{{bot_id}}}:parked"


def seen(bot_id: int) -> str:
    """Sorted set of the newest update ids, by the time of their coming."""
    return f"{{{bot_id}}}:seen"


def dead(bot_id: int) -> str:
    """List of dead letters, oldest first: JSON objects ``{"reason", "update"}``, with an ``id``."""
    return f"{{{bot_id}}}:dead"


def poller(bot_id: int) -> str:
    """Lease of the process that polls Telegram, or keeps the webhook."""
    return f"{{{bot_id}}}:poller"


def webhook_secret(bot_id: int) -> str:
    """The secret that Telegram shows at the webhook, where none is configured."""
    return f"{{{bot_id}}}:webhook-secret"


def pace(bot_id: int, chat_id: int) -> str:
    """Hash of how far a chat's budget is spent, and until when it is frozen; see `pace.lua`."""
    return f"{{{bot_id}}}:pace:{chat_id}"


def pace_of_all(bot_id: int) -> str:
    """Hash of how far the budget of all chats together is spent."""
    return f"{{{bot_id}}}:pace"


def generations(bot_id: int) -> str:
    """Sorted set of the generations under way in all processes, by the ends of their leases."""
    return f"{{{bot_id}}}:generations"


def mark(bot_id: int) -> str:
    """Written after what replicas are to confirm; see `storage.server.script`."""
    return f"{{{bot_id}}}:mark"


def progress(bot_id: int) -> str:
    """How far an import has come; see `storage.archive`."""
    return f"{{{bot_id}}}:progress"


def full(bot_id: int) -> str:
    """There for a while after an update was refused for lack of memory."""
    return f"{{{bot_id}}}:full"


def nothing(bot_id: int) -> str:
    """Never there. A script that names it runs whole or not at all, also while its slot moves.

    A cluster that moves a slot key by key refuses a script as long as keys that it names are not
    all in one place; but one that has begun fails at the first key that is not there, or no longer.
    """
    return f"{{{bot_id}}}:nothing"
