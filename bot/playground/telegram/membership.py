"""Who is in which chat as what: people and the bot come, go, rise and fall, and the bot is told.

Everything here is what people do in their apps; whether who does it had the right is not asked.
Wherever a ``user`` is left out, it is the bot. ``by`` is who does it: left out, an anonymous
administrator, or in a private chat its person. Changes of the bot are ``my_chat_member``; those of
others are ``chat_member`` and reach a bot that is an administrator. ValueError if Telegram would
not allow it.
"""

from collections.abc import Collection
from dataclasses import replace

from bot.playground.telegram.chat import ANONYMOUS_ADMIN, GENERAL, Chat, Json, Person, user_json
from bot.playground.telegram.chats import Chats
from bot.playground.telegram.member import (
    LONGEST_RANK,
    MEMBER,
    OUTSIDE,
    PERMISSIONS,
    RIGHTS,
    Member,
    Status,
    member,
)

LONGEST_SLOW_MODE = 60 * 60
"""Seconds."""


class Membership(Chats):
    """See the module."""

    def set_member(self, chat: int, user: int, status: Status | str) -> None:
        """Make ``user`` something in a chat, without ceremony: an administrator has all rights."""
        self._become(self.chat(chat), user, member(status, self.chat(chat).kind))

    def set_bot(self, chat: int, status: Status | str) -> None:
        """Make the bot something in a chat; it gets a ``my_chat_member``."""
        self._become(self.chat(chat), None, member(status, self.chat(chat).kind))

    def add(self, chat: int, user: int | None = None, by: int | None = None) -> Json:
        """Add somebody to a group or channel; a person left to themselves joins."""
        place, old = self._standing(chat, user)
        if old.present:
            raise ValueError("they are in this chat already")
        if place.channel and (user is None or self._is_me(user)):
            raise ValueError("bots are in channels as administrators only: promote it")
        restricted = old.status is Status.RESTRICTED
        new = replace(old, inside=True) if restricted else MEMBER
        by = user if by is None else by
        told = self._become(place, user, new, by)
        content = {"new_chat_members": [told["user"]]}
        self._announce(place, by, content, heard=place.bot.present)
        return told

    def kick(
        self, chat: int, user: int | None = None, by: int | None = None, until: int = 0
    ) -> Json:
        """Ban somebody from a group or channel."""
        place, old = self._below(chat, user)
        return self._remove(place, user, old, Member(Status.KICKED, until=until), by)

    def unban(self, chat: int, user: int, by: int | None = None) -> Json:
        """Lift a ban; whoever is in the chat is removed instead, and can come back."""
        place, old = self._below(chat, user)
        return self._remove(place, user, old, OUTSIDE, by)

    def leave(self, chat: int, user: int) -> Json:
        """Let a person leave; a restriction stays with them."""
        place, old = self._standing(chat, user)
        if not old.present:
            raise ValueError("they are not in this chat")
        restricted = old.status is Status.RESTRICTED
        new = replace(old, inside=False) if restricted else OUTSIDE
        return self._remove(place, user, old, new, user)

    def promote(
        self,
        chat: int,
        user: int | None = None,
        rights: Collection[str] | None = None,
        title: str = "",
        by: int | None = None,
        *,
        anonymous: bool | None = None,
    ) -> Json:
        """Make somebody an administrator with these rights, or with all, or change those.

        ``anonymous`` says whether they write in the group's name from now on, if it says anything.
        """
        place, old = self._below(chat, user)
        possible = RIGHTS[place.kind]
        if len(title) > LONGEST_RANK:
            raise ValueError(f"a title is up to {LONGEST_RANK} characters")
        if unknown := set(rights or ()) - set(possible):
            raise ValueError(f"no rights in a {place.kind}: {', '.join(sorted(unknown))}")
        granted = frozenset(possible if rights is None else [*rights, "can_manage_chat"])
        hidden = old.rules and old.anonymous if anonymous is None else anonymous
        by_bot = by == self.bot["id"] or (old.rules and old.by_bot)
        new = Member(Status.ADMINISTRATOR, granted, hidden, title, by_bot=by_bot)
        return self._become(place, user, new, by)

    def give(self, chat: int, user: int) -> Json:
        """Make a person the creator; who was it before is an administrator then."""
        place, _ = self._standing(chat, user)
        if self._is_me(user):
            raise ValueError("a bot cannot be a chat's creator")
        for former, what in list(place.members.items()):
            if what.status is Status.CREATOR and former != user:
                self._become(place, former, member(Status.ADMINISTRATOR, place.kind), former)
        return self._become(place, user, Member(Status.CREATOR))

    def demote(self, chat: int, user: int | None = None, by: int | None = None) -> Json:
        """Make an administrator a member; from a channel, the bot is gone then."""
        place, old = self._below(chat, user)
        if not old.rules:
            raise ValueError("they are no administrator of this chat")
        gone = place.channel and (user is None or self._is_me(user))
        return self._become(place, user, OUTSIDE if gone else MEMBER, by)

    def restrict(
        self,
        chat: int,
        user: int | None = None,
        permissions: Collection[str] = (),
        until: int = 0,
        by: int | None = None,
    ) -> Json:
        """Leave somebody in a supergroup only these permissions; with all it is a member again."""
        place, old = self._below(chat, user)
        if place.kind != "supergroup":
            raise ValueError("only supergroups have restricted members")
        if not 0 <= until < 2**31:
            raise ValueError("until is in seconds since 1970, 0 for ever")
        granted = frozenset(_known(permissions))
        free = MEMBER if old.present else OUTSIDE
        restricted = Member(Status.RESTRICTED, granted, until=until, inside=old.present)
        new = free if len(granted) == len(PERMISSIONS) else restricted
        return self._become(place, user, new, by)

    def permit(self, chat: int, permissions: Collection[str]) -> None:
        """Let the members of a group do only this; the bot is not told."""
        self._group(chat).permissions = frozenset(_known(permissions))
        self.touch()

    def slow_down(self, chat: int, seconds: int) -> None:
        """Let each member of a supergroup write only once in so many seconds; 0 ends it."""
        place = self._group(chat)
        if place.kind != "supergroup" or not 0 <= seconds <= LONGEST_SLOW_MODE:
            raise ValueError(f"supergroups have a slow mode, of 0 to {LONGEST_SLOW_MODE} seconds")
        place.slow_mode = seconds
        self.touch()

    def hide(self, chat: int, user: int, *, on: bool) -> Json:
        """Let an administrator write in the group's name from now on, or no longer."""
        place, old = self._standing(chat, user)
        if not old.rules or place.channel:
            raise ValueError("only a group's administrators can be anonymous")
        return self._become(place, user, replace(old, anonymous=on))

    def block(self, user: int) -> None:
        """Let ``user`` block the bot; writing to it again unblocks it, as in Telegram."""
        self.set_bot(self._person(user).id, Status.KICKED)

    def unblock(self, user: int) -> None:
        """Let ``user`` unblock the bot."""
        self.set_bot(self._person(user).id, Status.MEMBER)

    def deactivate(self, user: int) -> None:
        """Let ``user`` delete their account, of which the bot is not told."""
        self._person(user).deactivated = True
        self.touch()

    def members(self, chat: int) -> list[Json]:
        """Return the ChatMember of everybody who is or was in a chat, the bot first."""
        if chat not in self.chats:
            return []
        place = self.chats[chat]
        people = [self.people[user] for user in ([chat] if place.person else place.members)]
        told = [place.member(person.id).json(person.json(), place.kind) for person in people]
        return [place.bot.json(self.bot, place.kind), *told]

    def leave_as_bot(self, place: Chat) -> None:
        """Let the bot leave."""
        self._become(place, None, OUTSIDE, int(self.bot["id"]))

    def send_as(self, chat: int, user: int, sender_chat: int | None = None) -> None:
        """Let ``user`` write in a supergroup as a channel from now on, or as themselves."""
        place, channel = self._group(chat), self.chats.get(sender_chat or 0)
        if sender_chat is None:
            place.send_as.pop(user, None)
        elif place.kind == "supergroup" and channel and channel.channel:
            place.send_as[user] = sender_chat
        else:
            raise ValueError("in supergroups, one can write as a channel that there is")

    def tell(self, place: Chat, by: int | None, content: Json, topic: int | None = None) -> None:
        """Write into a chat what somebody has done there, None being an anonymous administrator."""
        sender = self._signed(place, self._author(place, by))
        into = None if topic == GENERAL else topic
        self._deliver(self._message(place, sender, content, topic=into), place)

    # Inside.

    def _become(self, place: Chat, user: int | None, new: Member, by: int | None = None) -> Json:
        """Make the bot or a person ``new``; returns their ChatMember."""
        actor = self._actor(place, by)
        if mine := user is None or self._is_me(user):
            subject, old, place.bot = self.bot, place.bot, new
            if new.present and not old.present:
                place.privacy = self.privacy
        else:
            person = self._person(user)
            subject, old = person.json(), place.member(person.id)
            place.members[person.id] = new
        after = new.json(subject, place.kind)
        if old != new and (mine or place.bot.rules):
            change = {
                "chat": place.json(),
                "from": actor,
                "date": self._now(),
                "old_chat_member": old.json(subject, place.kind),
                "new_chat_member": after,
            }
            self.updates.add("my_chat_member" if mine else "chat_member", change)
        self.touch()
        return after

    def _remove(
        self, place: Chat, user: int | None, old: Member, new: Member, by: int | None
    ) -> Json:
        heard = place.bot.present  # the bot still gets to read that it was removed
        told = self._become(place, user, new, by)
        if old.present:
            self._announce(place, by, {"left_chat_member": told["user"]}, heard=heard)
        return told

    def _announce(self, place: Chat, by: int | None, content: Json, *, heard: bool) -> None:
        """Write into a group who came or went; ``heard`` says whether the bot gets it."""
        if place.channel:
            return
        sender = self._signed(place, self._author(place, by))
        message = self._message(place, sender, content)
        if heard:
            self.updates.add("message", message)

    def _standing(self, chat: int, user: int | None) -> tuple[Chat, Member]:
        """Return a group or channel, and what somebody is there."""
        place = self.chat(chat)
        if place.person is not None:
            raise ValueError("a private chat has no members; its person can block the bot")
        if user is None or self._is_me(user):
            return place, place.bot
        return place, place.member(self._person(user).id)

    def _below(self, chat: int, user: int | None) -> tuple[Chat, Member]:
        """Return the same, of somebody who is not the creator."""
        place, old = self._standing(chat, user)
        if old.status is Status.CREATOR:
            raise ValueError("nobody changes what a chat's creator is")
        return place, old

    def _group(self, chat: int) -> Chat:
        place = self.chat(chat)
        if place.kind not in ("group", "supergroup"):
            raise ValueError("this is no group")
        return place

    def _is_me(self, user: int) -> bool:
        return user == int(self.bot["id"])

    def _author(self, place: Chat, user: int | None) -> Person | None:
        """Return as whom somebody does something here; None is the bot."""
        if user is None:
            return place.person or self._person(ANONYMOUS_ADMIN)
        if self._is_me(user):
            return None
        anonymous = place.member(user).anonymous
        return self._person(ANONYMOUS_ADMIN if anonymous else user)

    def _actor(self, place: Chat, by: int | None) -> Json:
        author = self._author(place, by)
        return user_json(author) if author else self.bot


def _known(permissions: Collection[str]) -> Collection[str]:
    if unknown := set(permissions) - set(PERMISSIONS):
        raise ValueError(f"no permissions: {', '.join(sorted(unknown))}")
    return permissions
