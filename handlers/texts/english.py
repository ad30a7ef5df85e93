"""The bot's words in English."""

from handlers.texts.catalogue import Texts

ENGLISH = Texts(
    start=(
        "Hello! I answer questions with YandexGPT, and I remember our conversation.\n\n"
        "Write what you would like to know. To begin anew: /reset. For help: /help."
    ),
    help=(
        "Just write a question. I remember what we talked about and answer accordingly.\n\n"
        "{commands}\n\n"
        "In a group, speak to me: @{name} and the question, or reply to a message of mine. "
        "Only the group's admins can make me forget its conversation."
    ),
    command_start="Get to know the bot",
    command_help="How to talk to me",
    command_stop="Stop the answer",
    command_retry="Ask the last question again",
    command_undo="Take back the last exchange, or a reset",
    command_context="How much I have in mind",
    command_reset="Forget the conversation and begin anew",
    stopped="Stopped.",
    stopped_mark="■ Stopped",
    button_stop="■ Stop",
    button_again="⟳ Again",
    button_continue="▸ Continue",
    button_forget="✕ Forget",
    old_button="That button belongs to an earlier answer; it does nothing any more.",
    continue_question="Continue",
    nothing_to_repeat="There is no question yet that I could answer again.",
    undone="The last question and its answer are taken back: I do not remember them any more.",
    restored="The conversation is back: I remember it again.",
    nothing_to_undo="There is nothing to take back.",
    undo_is_for_admins=(
        "Only the group's admins can change what I remember of its conversation: it belongs to "
        "everybody."
    ),
    retry_is_for_the_asker=(
        "Only the person who asked, or an admin of the group, can have this answered again."
    ),
    context="In mind: {tokens} of {window} tokens. Questions with answers: {turns}.",
    context_left_out="No longer in mind, as they do not fit: the oldest {turns}.",
    left_out=(
        "The conversation has grown long: its beginning no longer fits, and I do not have it in "
        "mind any more. How much I have: /context. To begin anew: /reset."
    ),
    too_many=(
        "Too many messages at once: I will not read more until I have answered these. "
        "To stop me: /stop."
    ),
    forgotten=(
        "The conversation is forgotten. Let us begin anew! (For half an hour /undo brings it back.)"
    ),
    forgotten_for_good=(
        "The conversation is forgotten. Let us start over! (My memory is full, so it cannot be "
        "brought back.)"
    ),
    other_chat_forgotten="The conversation of chat {chat} is forgotten.",
    reset_is_for_admins=(
        "Only the group's admins can make me forget its conversation: it belongs to everybody."
    ),
    reset_other_is_for_owners=(
        "Only the bot's owner can make me forget another chat's conversation. "
        "To forget this one, send /reset without a number."
    ),
    reset_needs_a_number=(
        "After /reset there may be a chat's number, such as /reset -1001234567890. "
        "To forget this conversation, send just /reset."
    ),
    unknown_command="I do not know that command. What I can do: /help.",
    only_text=(
        "I only understand text so far: messages, text files, source code and PDFs. "
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
        "and not more text than fits the model."
    ),
    document_too_long=(
        "That PDF is too long for me: I read up to 400 pages, and only those that can be read in "
        "seconds. Please send the part you need."
    ),
    document_busy=(
        "I am reading other people's PDFs right now, and did not get to yours. "
        "Please send it again a little later."
    ),
    document_encrypted="That PDF wants a password. Please send it without one.",
    document_without_text="I cannot find any text in that file.",
    document_gone="Telegram does not give me that file any more. Please send it again.",
    empty_question="Yes? Write your question together with my name: @{name} and the question.",
    not_allowed="This bot does not answer everybody: its owner has not opened it to this chat.",
    takes_longer="This takes longer than usual. I will answer as soon as I can.",
    truncated="The answer reached its greatest length. Write “continue” and I will go on.",
    refused=(
        "The model would not answer this: its content filter stepped in. "
        "The question was not kept; try asking differently, or about something else."
    ),
    too_long="The message is too long for the model. Please split it into parts.",
    unavailable=(
        "The model does not answer right now, and I could not answer this question. "
        "Please ask again a little later."
    ),
    misconfigured=(
        "I cannot reach the model: something is wrong in my settings. "
        "The bot's owner finds the reason in the log; please ask later."
    ),
    piece_refused="Telegram refused this part of the answer, and I could not send it.",
    unexpected="Something went wrong and I could not answer. Please try again.",
)
