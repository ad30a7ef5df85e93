"""Did a person write this, or is it a service message? Pure."""

import re

from telegram import Message

from handlers.incoming.words import UNREAD

_NOTES = frozenset(
    """
    boost_added channel_chat_created chat_background_set chat_owner_changed chat_owner_left
    chat_shared checklist_tasks_added checklist_tasks_done connected_website
    delete_chat_photo direct_message_price_changed forum_topic_closed forum_topic_created
    forum_topic_edited forum_topic_reopened general_forum_topic_hidden
    general_forum_topic_unhidden gift gift_upgrade_sent giveaway_completed giveaway_created
    group_chat_created left_chat_member managed_bot_created
    message_auto_delete_timer_changed migrate_from_chat_id migrate_to_chat_id
    new_chat_members new_chat_photo new_chat_title paid_message_price_changed passport_data
    pinned_message poll_option_added poll_option_deleted proximity_alert_triggered
    refunded_payment successful_payment suggested_post_approval_failed
    suggested_post_approved suggested_post_declined suggested_post_paid
    suggested_post_refunded supergroup_chat_created unique_gift users_shared
    video_chat_ended video_chat_participants_invited video_chat_scheduled video_chat_started
    web_app_data write_access_allowed
    """.split()  # noqa: SIM905 - one a line would be two pages
)
"""Fields of Telegram's Message that make it a service message."""
_HAPPENED = re.compile(
    r"(new|left|delete|migrate)_.*"
    r"|.*_(\w+ed|done|hidden|left|lost|paid|payment|sent|set|unhidden|won)"
)
"""Such fields newer than this list: their names are in the past tense."""


def is_note(message: Message) -> bool:
    """Tell whether it is a service message: nobody waits for an answer to it."""
    unknown = {name.removeprefix(UNREAD) for name in message.api_kwargs}
    return (
        bool(unknown & _NOTES)
        or any(bool(getattr(message, name, None)) for name in _NOTES)
        or any(_HAPPENED.fullmatch(name) for name in unknown)
    )
