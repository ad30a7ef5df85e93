"""The bot's words in English."""

from handlers.texts.catalogue import Texts

ENGLISH = Texts(
    start=(
        "Hello! I answer questions with YandexGPT, and I remember our conversation.\n\n"
        "Ask me anything. Start over: /reset. Help: /help."
    ),
    help=(
        "Just ask: I remember what we have talked about.\n\n"
        "{commands}\n\n"
        "In a group, write @{name} and your question, or reply to one of my messages. "
        "Only a group's admins can reset its conversation."
    ),
    command_start="Meet the bot",
    command_help="How to use me",
    command_stop="Stop the answer",
    command_retry="Answer the last question again",
    command_undo="Take back the last question, or a reset",
    command_context="How much I remember",
    command_reset="Forget the conversation and start over",
    stopped="Stopped.",
    stopped_mark="■ Stopped",
    button_stop="■ Stop",
    button_again="⟳ Again",
    button_continue="▸ Continue",
    button_forget="✕ Forget",
    old_button="That button belongs to an earlier answer and no longer works.",
    continue_question="Continue",
    nothing_to_repeat="There is no question to answer again yet.",
    undone="Done: I no longer remember the last question and answer.",
    restored="The conversation is back: I remember it again.",
    nothing_to_undo="There is nothing to take back.",
    undo_is_for_admins=(
        "Only the group's admins can take back questions and answers here: the conversation is "
        "everyone's."
    ),
    retry_is_for_the_asker=(
        "Only the person who asked, or an admin of the group, can ask me to answer again."
    ),
    context="The conversation takes {tokens} of {window} tokens. Questions with answers: {turns}.",
    context_left_out="The oldest no longer fit, so I do not see them: {turns}.",
    left_out=(
        "The conversation has grown long: its beginning no longer fits, and I do not remember it. "
        "How much I remember: /context. Start over: /reset."
    ),
    too_many=(
        "Too many messages at once: I will answer these before I read any more. Stop me: /stop."
    ),
    forgotten=(
        "The conversation is forgotten, let's start over! Changed your mind? "
        "For half an hour, /undo brings it back."
    ),
    forgotten_for_good=(
        "The conversation is forgotten, let's start over! My memory is full, so it cannot be "
        "brought back."
    ),
    other_chat_forgotten="The conversation of chat {chat} is forgotten.",
    reset_is_for_admins=("Only the group's admins can reset its conversation: it is everyone's."),
    reset_other_is_for_owners=(
        "Only the bot's owner can reset another chat's conversation. "
        "To reset this one, send /reset without a number."
    ),
    reset_needs_a_number=(
        "After /reset you can give a chat's number, such as /reset -1001234567890. "
        "To reset this conversation, just send /reset."
    ),
    unknown_command="I don't know that command. What I can do: /help.",
    only_text=(
        "So far I only understand text: messages, text files, source code and PDFs. "
        "Please put it in words."
    ),
    forwarded="(Forwarded from: {author})",
    kinds={
        "poll": "poll",
        "checklist": "checklist",
        "contact": "contact",
        "venue": "place",
        "location": "location",
        "animation": "animation",
        "live_photo": "live photo",
        "photo": "photo",
        "video": "video",
        "video_note": "video message",
        "voice": "voice message",
        "audio": "audio",
        "document": "file",
        "sticker": "sticker",
        "dice": "dice",
        "game": "game",
        "story": "story",
        "paid_media": "paid post",
        "invoice": "invoice",
        "giveaway": "giveaway",
        "giveaway_winners": "giveaway results",
    },
    document_too_large=(
        "That file is too large: I read text files up to 1 MB and PDFs up to 20 MB, "
        "and only if their text fits the model."
    ),
    document_too_long=(
        "That PDF is too long: I read up to 400 pages, and only what can be read within seconds. "
        "Please send just the part you need."
    ),
    document_busy=(
        "I am still reading other PDFs and did not get to yours. "
        "Please send it again a little later."
    ),
    document_encrypted="That PDF needs a password. Please send it without one.",
    document_without_text="I can't find any text in that file.",
    document_gone="Telegram no longer gives me that file. Please send it again.",
    empty_question="Yes? Put my name and your question in one message: @{name} and the question.",
    not_allowed="This bot is not open to everyone. Its owner can give you access.",
    takes_longer="This is taking longer than usual. I will answer as soon as I can.",
    truncated="The answer reached its maximum length. Write “continue” and I will go on.",
    refused=(
        "The model would not answer this: its content filter stepped in. "
        "I have not kept the question; try asking differently, or about something else."
    ),
    too_long="That message is too long for the model. Please split it into parts.",
    unavailable=(
        "The model is not answering right now, so I could not answer either. "
        "Please ask again a little later."
    ),
    misconfigured=(
        "I can't reach the model: something is wrong in my settings. "
        "The bot's owner will find the reason in the log. Please ask again later."
    ),
    piece_refused="Telegram refused this part of the answer, so I could not send it.",
    unexpected="Something went wrong and I could not answer. Please try again.",
)
