"""A description of Telegram's Message, Bot API 10.3: every field, with a value as it comes.

For tests of what becomes of messages that no test thought of: alone, in a reply, damaged.
"""

from typing import Any

Json = dict[str, Any]

DATE = 1_790_000_000
ANN: Json = {"id": 101, "is_bot": False, "first_name": "Ann", "language_code": "en"}
CHANNEL: Json = {"id": -1000000000600, "type": "channel", "title": "News"}
PICTURE: Json = {"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}
FILE: Json = {"file_id": "f", "file_unique_id": "u"}
PLACE: Json = {"latitude": 55.7, "longitude": 37.6}
OPTION: Json = {"persistent_id": "1", "text": "yes", "voter_count": 1}
POLL: Json = {
    "id": "1",
    "question": "Tea?",
    "options": [OPTION],
    "total_voter_count": 1,
    "is_closed": False,
    "is_anonymous": True,
    "type": "regular",
    "allows_multiple_answers": False,
    "allows_revoting": True,
    "members_only": False,
}
GIFT: Json = {"id": "1", "sticker": {}, "star_count": 5}

CONTENT: dict[str, Any] = {
    "animation": {**PICTURE, "duration": 3},
    "audio": {**FILE, "duration": 3, "title": "Song"},
    "checklist": {"title": "Shop", "tasks": [{"id": 1, "text": "milk"}]},
    "contact": {"phone_number": "+71", "first_name": "Boris"},
    "dice": {"emoji": "🎲", "value": 4},
    "game": {"title": "Snake", "description": "long", "photo": [PICTURE]},
    "giveaway": {"chats": [CHANNEL], "winners_selection_date": DATE, "winner_count": 1},
    "giveaway_winners": {
        "chat": CHANNEL,
        "giveaway_message_id": 3,
        "winners_selection_date": DATE,
        "winner_count": 1,
        "winners": [ANN],
    },
    "invoice": {
        "title": "Tea",
        "description": "hot",
        "start_parameter": "x",
        "currency": "XTR",
        "total_amount": 1,
    },
    "live_photo": {**PICTURE, "duration": 3},
    "location": PLACE,
    "paid_media": {"star_count": 5, "paid_media": [{"type": "preview"}]},
    "photo": [PICTURE],
    "poll": POLL,
    "sticker": {
        **PICTURE,
        "type": "regular",
        "is_animated": False,
        "is_video": False,
        "emoji": "👍",
    },
    "story": {"chat": CHANNEL, "id": 4},
    "venue": {"location": PLACE, "title": "Museum", "address": "Street 1"},
    "video": {**PICTURE, "duration": 3},
    "video_note": {**FILE, "length": 9, "duration": 3},
    "voice": {**FILE, "duration": 3},
}
"""What a person sends, and the bot cannot read; each alone makes a message."""

READ: dict[str, Any] = {
    "text": "good question",
    "rich_message": {"blocks": [{"type": "paragraph", "text": ["rich ", "question"]}]},
}
"""What a person sends, and the bot reads."""

SERVICE: dict[str, Any] = {
    "new_chat_members": [ANN],
    "left_chat_member": ANN,
    "chat_owner_left": {"new_owner": ANN},
    "chat_owner_changed": {"new_owner": ANN},
    "new_chat_title": "Friends",
    "new_chat_photo": [PICTURE],
    "delete_chat_photo": True,
    "group_chat_created": True,
    "supergroup_chat_created": True,
    "channel_chat_created": True,
    "message_auto_delete_timer_changed": {"message_auto_delete_time": 60},
    "pinned_message": {
        "message_id": 1,
        "date": DATE,
        "chat": {"id": 101, "type": "private"},
        "text": "old",
    },
    "successful_payment": {
        "currency": "XTR",
        "total_amount": 1,
        "invoice_payload": "x",
        "telegram_payment_charge_id": "1",
        "provider_payment_charge_id": "1",
    },
    "refunded_payment": {
        "currency": "XTR",
        "total_amount": 1,
        "invoice_payload": "x",
        "telegram_payment_charge_id": "1",
    },
    "users_shared": {"request_id": 1, "users": [{"user_id": 5}]},
    "chat_shared": {"request_id": 1, "chat_id": 5},
    "connected_website": "example.org",
    "write_access_allowed": {"from_request": True},
    "passport_data": {
        "data": [],
        "credentials": {"data": "x", "hash": "x", "secret": "x"},
    },
    "proximity_alert_triggered": {"traveler": ANN, "watcher": ANN, "distance": 1},
    "boost_added": {"boost_count": 1},
    "chat_background_set": {"type": {"type": "chat_theme", "theme_name": "x"}},
    "checklist_tasks_done": {"marked_as_done_task_ids": [1]},
    "checklist_tasks_added": {"tasks": [{"id": 1, "text": "milk"}]},
    "direct_message_price_changed": {"are_direct_messages_enabled": True},
    "forum_topic_created": {"name": "Cats", "icon_color": 1},
    "forum_topic_edited": {"name": "Dogs"},
    "forum_topic_closed": {},
    "forum_topic_reopened": {},
    "general_forum_topic_hidden": {},
    "general_forum_topic_unhidden": {},
    "gift": {"gift": GIFT},
    "unique_gift": {"gift": GIFT, "origin": "upgrade"},
    "gift_upgrade_sent": {"gift": GIFT},
    "giveaway_created": {},
    "giveaway_completed": {"winner_count": 1},
    "managed_bot_created": {"bot": ANN},
    "paid_message_price_changed": {"paid_message_star_count": 1},
    "poll_option_added": {"option_persistent_id": "1", "option_text": "no"},
    "poll_option_deleted": {"option_persistent_id": "1", "option_text": "no"},
    "suggested_post_approved": {"send_date": DATE},
    "suggested_post_approval_failed": {"price": {"currency": "XTR", "amount": 1}},
    "suggested_post_declined": {},
    "suggested_post_paid": {"currency": "XTR"},
    "suggested_post_refunded": {"reason": "post_deleted"},
    "video_chat_scheduled": {"start_date": DATE},
    "video_chat_started": {},
    "video_chat_ended": {"duration": 3},
    "video_chat_participants_invited": {"users": [ANN]},
    "web_app_data": {"data": "x", "button_text": "x"},
    "community_chat_added": {"community": {"id": 1, "name": "x"}},
    "community_chat_joined": {"community": {"id": 1, "name": "x"}},
    "community_chat_removed": {"community": {"id": 1, "name": "x"}},
    "migrate_to_chat_id": -1000000000101,
    "migrate_from_chat_id": -101,
}
"""What Telegram notes in a chat; nobody waits for an answer to it."""

BESIDE: dict[str, Any] = {
    "sender_boost_count": 1,
    "sender_tag": "x",
    "effect_id": "1",
    "edit_date": DATE,
    "has_protected_content": True,
    "is_from_offline": True,
    "is_paid_post": True,
    "paid_star_count": 1,
    "author_signature": "Ann",
    "via_bot": {"id": 9, "is_bot": True, "first_name": "Inline"},
    "link_preview_options": {"is_disabled": True},
    "suggested_post_info": {"state": "pending"},
    "show_caption_above_media": True,
    "has_media_spoiler": True,
    "media_group_id": "1",
    "message_thread_id": 5,
    "reply_to_checklist_task_id": 1,
    "reply_to_poll_option_id": "1",
    "reply_to_story": {"chat": CHANNEL, "id": 4},
    "reply_markup": {"inline_keyboard": [[{"text": "x", "url": "https://ya.ru"}]]},
    "quote": {"text": "old", "position": 0, "is_manual": True},
    "external_reply": {
        "origin": {"type": "channel", "date": DATE, "chat": CHANNEL, "message_id": 1}
    },
    "forward_origin": {"type": "hidden_user", "date": DATE, "sender_user_name": "Boris"},
}
"""What may stand beside either."""


def message(number: int, chat: Json, **fields: Any) -> Json:
    """Write a message of Ann's."""
    return {"message_id": number, "date": DATE, "chat": chat, "from": ANN, **fields}
