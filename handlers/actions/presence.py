"""The bot comes to a chat, goes, or may do more or less there: it notes that, and says it once."""

from dataclasses import replace

import structlog
from telegram import Chat, Update
from telegram.constants import ChatType
from telegram.error import BadRequest, Forbidden
from telegram.ext import ExtBot

from handlers.actions.naming import shown
from handlers.actions.tools import Tools
from handlers.incoming.membership import ADMIN, SEES, TOPICS, WRITES, Membership
from handlers.outgoing.delivery import Delivery
from handlers.outgoing.refusals import is_final
from handlers.rendering.markup import Chunk
from handlers.texts import Texts
from handlers.turn.reply import Reply
from handlers.turn.turn import Turn
from storage.chat_settings import When
from storage.chats import ChatRecord

log = structlog.get_logger()

LATELY = 60 * 60
"""Seconds for which what was said of the bot's rights in a chat is not repeated."""


async def on_membership(
    tools: Tools, turn: Turn, membership: Membership, bot: ExtBot[None]
) -> None:
    """Note how the bot stands in a chat, and tell what that means, if it is news there.

    Raises TelegramError if Telegram fails meanwhile.
    """
    known = turn.chat
    if await note(turn, membership) and _is_news(membership, known):
        await _tell(tools, turn, membership, bot)


async def note(turn: Turn, membership: Membership) -> bool:
    """Note how the bot stands in a chat; returns False if that is no longer so, or no chat's."""
    chat, known = membership.chat, turn.chat
    stranger = chat.type == ChatType.PRIVATE and not known.kind
    if membership.date < known.since or stranger or await turn.has_moved():
        return False
    language = known.language or turn.texts.language
    now = replace(membership.known(known), language=language)
    if _is_news(membership, known):
        said = {can: at for can, at in known.told.items() if membership.date - at < LATELY}
        now = replace(now, told=said | {now.can: membership.date})
    turn.stand(now)
    log.info("membership", chat=chat.id, away=now.away, can=now.can)
    return True


def _is_news(membership: Membership, known: ChatRecord) -> bool:
    if membership.now is None or membership.chat.type not in (ChatType.GROUP, ChatType.SUPERGROUP):
        return False
    told = known.told.get(" ".join(sorted(membership.now)), -LATELY)
    return membership.now != membership.before and membership.date - told >= LATELY


async def _tell(tools: Tools, turn: Turn, membership: Membership, bot: ExtBot[None]) -> None:
    """Tell it in the group; where the bot may not write or says nothing, the person in private."""
    texts = turn.texts
    if turn.reply is None:
        added = Update(membership.update, membership.message(membership.chat))
        allowed = await tools.access.allows(added, await turn.admission.listed())
        told = (
            meaning(texts, membership, str(bot.username))
            if allowed
            else texts.group_stranger.format(id=membership.chat.id)
        )
        await turn.keep(Reply([Chunk(told, ())]))
    words = turn.reply.pieces[0].text if turn.reply else ""
    title = shown(membership.chat.title or "") or membership.chat.id
    about = texts.about_the_group.format(title=title)
    speaks = WRITES in (membership.now or ()) and turn.settings.when is not When.NEVER
    places = [(membership.chat, words)] if speaks else []
    if not membership.person.is_bot:
        private = Chat(membership.person.id, ChatType.PRIVATE)
        places.append((private, f"{about}\n\n{words}"))
    for chat, said in places:
        if chat.id != membership.chat.id:
            turn.granted = None  # that is a place in the group's budget
        message = membership.message(chat)
        message.set_bot(bot)
        try:
            await Delivery(message, turn).finish(Reply([Chunk(said, ())]))
        except (Forbidden, BadRequest) as refusal:
            if not is_final(refusal):
                raise
            log.info("membership_not_told", chat=chat.id, reason=refusal.message)
        else:
            return
    log.warning("silent", chat=membership.chat.id, can=" ".join(sorted(membership.now or ())))


def meaning(texts: Texts, membership: Membership, name: str) -> str:
    """Say what the bot sees and may do in a group, and what to change for what."""
    can = membership.now or frozenset()
    first = texts.membership_changed if membership.before is not None else texts.membership_new
    lines = [
        texts.membership_muted if WRITES not in can else "",
        texts.sees_all if SEES in can else texts.sees_addressed,
        texts.closed_topics if membership.chat.is_forum and TOPICS not in can else "",
        texts.needs_admin if ADMIN not in can else "",
    ]
    return "\n\n".join([first.format(name=name), *filter(None, lines)])
