"""Asking: what people ask of the bot with a button, or inline from any chat.

Sources: core.telegram.org/bots/api#callbackquery and #inlinequery.
"""

from bot.playground.telegram.chat import Json
from bot.playground.telegram.entities import is_unicode
from bot.playground.telegram.query import CALLBACK, INLINE, KEPT_SECONDS, Query
from bot.playground.telegram.voting import Voting

LONGEST_QUERY = 256
CHAT_TYPES = ("sender", "private", "group", "supergroup", "channel")


class Asking(Voting):
    """See the module. ValueError says what Telegram would not allow."""

    def press(
        self, chat: int, user: int, message_id: int, data: str, *, language: str | None = None
    ) -> str:
        """Let ``user`` press an inline button of the bot's message; returns the query's id.

        ValueError if there is no such message.
        """
        place = self._place_of(chat, message_id)
        message = place.messages[message_id]
        person = self._person(user, language)
        inline = self.inline_messages.get((chat, message_id))
        where = {"inline_message_id": inline} if inline else {"message": message}
        return self._ask(
            Query(CALLBACK, user, self.clock(), chat=chat),
            {"from": person.json(), **where, "chat_instance": str(chat), "data": data},
        )

    def ask_inline(
        self,
        user: int,
        query: str,
        *,
        offset: str = "",
        chat_type: str = "sender",
        language: str | None = None,
    ) -> str:
        """Let ``user`` type "@bot query" in a chat of that type; returns the query's id."""
        if len(query) > LONGEST_QUERY or not is_unicode(query + offset):
            raise ValueError(f"a query is up to {LONGEST_QUERY} characters")
        if chat_type not in CHAT_TYPES:
            raise ValueError(f"chat_type is one of {', '.join(CHAT_TYPES)}")
        asked = {"query": query, "offset": offset, "chat_type": chat_type}
        return self._ask(
            Query(INLINE, user, self.clock(), text=query),
            {"from": self._person(user, language).json(), **asked},
        )

    def answer(self, query: str) -> Json | None:
        """Return the bot's answer to a query, None before it comes."""
        if query not in self.queries:
            raise ValueError(f"no query {query}, or no longer")
        return self.queries[query].answer

    def choose(self, chat: int, user: int, query: str, result: str) -> Json:
        """Let ``user`` send a result of their inline query into a chat; returns the Message."""
        found = self.queries.get(query)
        if found is None or found.user != user or result not in found.contents:
            raise ValueError(f"no result {result} of a query {query} of this person")
        content = found.contents[result]
        if content is None:
            raise ValueError("a result whose file is at a URL cannot be sent here")
        message = self._write(chat, user, {**content, "via_bot": self.bot})
        chosen = {"result_id": result, "from": self._person(user).json(), "query": found.text}
        if "reply_markup" in content:
            place = chat, message["message_id"]
            chosen["inline_message_id"] = self.inline_messages[place] = f"inline{chat}_{place[1]}"
        self.updates.add("chosen_inline_result", chosen)
        return message

    def _ask(self, query: Query, content: Json) -> str:
        oldest = self.clock() - KEPT_SECONDS
        self.queries = {key: each for key, each in self.queries.items() if each.asked_at > oldest}
        query_id = str(next(self._query_ids))
        self.queries[query_id] = query
        self.updates.add(query.kind, {"id": query_id, **content})
        return query_id
