// What goes over the wire, as types: the Bot API's objects, and what view.py tells of them.

/**
 * @typedef {{ id: number, is_bot?: boolean, first_name: string, last_name?: string, username?: string }} User
 * @typedef {{ id: number, type: string, title?: string, first_name?: string, username?: string, is_forum?: boolean }} Chat
 * @typedef {{ type: string, offset: number, length: number, url?: string, language?: string, user?: User,
 *   custom_emoji_id?: string }} Entity
 * @typedef {{ text: string, callback_data?: string, url?: string, copy_text?: { text: string },
 *   switch_inline_query?: string, switch_inline_query_current_chat?: string, login_url?: { url: string },
 *   switch_inline_query_chosen_chat?: { query?: string }, web_app?: { url: string }, disabled?: {} }} InlineButton
 * @typedef {{ inline_keyboard?: InlineButton[][] }} Markup
 * @typedef {{ text: string, request_contact?: boolean, request_location?: boolean,
 *   web_app?: { url: string } }} ReplyButton
 * @typedef {{ message_id: number, is_hidden: boolean, reply_markup: { keyboard?: ReplyButton[][],
 *   resize_keyboard?: boolean, force_reply?: boolean, input_field_placeholder?: string } }} Keyboard what a bot
 *   shows under the field, and the message it came with
 * @typedef {{ file_id: string, file_name?: string, mime_type?: string, file_size?: number, duration?: number,
 *   width?: number, height?: number, title?: string, performer?: string, emoji?: string,
 *   is_animated?: boolean, is_video?: boolean, thumbnail?: File }} File
 * @typedef {{ latitude: number, longitude: number }} Location
 * @typedef {{ type: string, date: number, sender_user?: User, sender_user_name?: string, sender_chat?: Chat,
 *   chat?: Chat, message_id?: number, author_signature?: string }} Origin
 * @typedef {{ question: string, description?: string, total_voter_count: number,
 *   options: { text: string, voter_count: number }[],
 *   is_closed: boolean, is_anonymous: boolean, type: string, allows_multiple_answers: boolean,
 *   allows_revoting: boolean }} Poll
 */

/**
 * A Message; service messages and others that are rare are looked up by name.
 *
 * @typedef {object} Message
 * @property {number} message_id
 * @property {number} date in seconds since 1970
 * @property {Chat} chat
 * @property {User} [from]
 * @property {Chat} [sender_chat]
 * @property {string} [author_signature]
 * @property {number} [edit_date]
 * @property {string} [text]
 * @property {Entity[]} [entities]
 * @property {string} [caption]
 * @property {Entity[]} [caption_entities]
 * @property {boolean} [has_media_spoiler]
 * @property {boolean} [show_caption_above_media]
 * @property {string} [media_group_id]
 * @property {Message} [reply_to_message]
 * @property {{ text: string, entities?: Entity[], position?: number }} [quote]
 * @property {Origin} [forward_origin]
 * @property {User} [via_bot]
 * @property {Markup} [reply_markup]
 * @property {number} [message_thread_id]
 * @property {boolean} [is_topic_message]
 * @property {File[]} [photo]
 * @property {File} [document]
 * @property {File} [animation]
 * @property {File} [video]
 * @property {File} [video_note]
 * @property {File} [voice]
 * @property {File} [audio]
 * @property {File} [sticker]
 * @property {Location} [location]
 * @property {{ location: Location, title: string, address: string }} [venue]
 * @property {{ phone_number: string, first_name: string, last_name?: string }} [contact]
 * @property {Poll} [poll]
 * @property {string[]} [chosen] what one has voted for in the poll, by persistent id
 * @property {{ emoji: string, value: number }} [dice]
 * @property {User[]} [new_chat_members]
 * @property {User} [left_chat_member]
 * @property {{ name: string }} [forum_topic_created]
 * @property {{}} [forum_topic_closed]
 * @property {{}} [forum_topic_reopened]
 * @property {number} [migrate_to_chat_id]
 * @property {number} [migrate_from_chat_id]
 * @property {Message} [pinned_message]
 * @property {string} [new_chat_title]
 */

/**
 * @typedef {{ draft_id: number, text: string, entities?: Entity[], can_stop: boolean,
 *   message_thread_id?: number }} Draft what a bot shows of a message that it has not sent yet
 * @typedef {{ id: number, name: string, closed: boolean, last: Message | null, unread: number }} Topic
 *
 * @typedef {object} Summary a chat, as the list of chats shows it to one person
 * @property {number} id
 * @property {string} type
 * @property {string} [title]
 * @property {string} [first_name]
 * @property {string} [username]
 * @property {boolean} [is_forum]
 * @property {User} [with] the bot, of a private chat
 * @property {Message | null} last
 * @property {number} unread
 * @property {number} typing seconds for which the bot is shown as typing
 * @property {number} people how many are in it, the bot included
 * @property {string} status what the person is in it: a ChatMember's status
 * @property {string} bot what the bot is in it
 * @property {boolean} may_write
 * @property {Topic[]} [topics] of a forum
 *
 * @typedef {object} Facts what about.json tells
 * @property {string} run identifies this run of the demo
 * @property {string} username the bot's
 * @property {boolean} bot whether a bot runs here
 * @property {"local" | "missing" | "yandexgpt"} model
 * @property {string} [model_name]
 * @property {string} about
 * @property {{ id: number, name: string }[]} people
 * @property {number} group
 *
 * @typedef {object} News what room/news tells
 * @property {string} run
 * @property {number} version
 * @property {User} bot
 * @property {User[]} people
 * @property {Summary[]} chats
 * @property {Controls | null} controls
 * @property {Message[]} messages
 * @property {number[]} deleted
 * @property {boolean} [earlier] whether there are messages before these; only at first
 * @property {Draft[]} drafts
 * @property {number[]} untaken messages that the bot has not fetched yet
 * @property {Keyboard | null} keyboard
 *
 * @typedef {{ kind: string } & Record<string, number | string>} Fault
 * @typedef {{ least?: number, most?: number, one_of?: number[] }} Bounds of a parameter of a fault
 * @typedef {{ pid: number, state: string }} Worker
 * @typedef {{ system_prompt: string, temperature: number, max_tokens: number, streaming: string, model: string }} Settings
 * @typedef {object} Controls what /demo/state tells
 * @property {{ set: Record<string, Fault>, possible: Record<string, Record<string, Record<string, Bounds>>> }} faults
 * @property {Worker[]} workers
 * @property {Settings | null} settings
 * @property {{ answering: (number | null)[], waiting: (number | null)[] }} queue chats, next first
 */

/**
 * @typedef {object} State
 * @property {Facts | null} demo what the demo is; null until it has answered
 * @property {Controls | null} controls what is set to fail, the workers, the settings
 * @property {boolean} away whether the demo does not answer
 * @property {number} me the person as whom one writes
 * @property {number} chat the chat that is open; 0 is none
 * @property {number} topic the topic of a forum that is open; 0 in other chats
 * @property {boolean} listed whether a phone shows the list of chats, not the chat
 * @property {User} bot
 * @property {User[]} people
 * @property {Summary[]} chats those of `me`, newest first
 * @property {ReadonlyMap<number, Message>} messages the newest of the open chat, by their number, in order
 * @property {boolean} at_end whether the newest message is on the screen
 * @property {boolean} earlier whether there are messages before these
 * @property {Draft[]} drafts
 * @property {ReadonlySet<number>} untaken messages that the bot has not fetched yet
 * @property {Keyboard | null} keyboard what the bot shows under the field
 * @property {Message | null} replying what one replies to
 * @property {Message | null} editing what one edits
 * @property {ReadonlySet<string>} pressed buttons that wait for the bot: see actions.js
 * @property {number} inspected the message whose answer the inspector is asked to show; 0 is none
 * @property {ReadonlyMap<string, string>} written what one has begun to write elsewhere: see drafts.js
 * @property {string | null} panel the panel at the right that is open
 */

export {};
