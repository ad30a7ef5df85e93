// The page's own words, in the language of the browser: Russian, or else English.

// The languages in which the bot speaks Russian.
const RUSSIAN = /^(ru|be|uk|kk)\b/i;

export const language = RUSSIAN.test(navigator.language) ? "ru" : "en";

// One that the tiny model answers sensibly nearly every time, and soon; it speaks no Russian.
const ENGLISH_QUESTION = "Explain photosynthesis in one sentence.";

const english = {
  title: "Local Telegram",
  chat: "Chat",
  chats: "Chats",
  privateChat: "Private chat",
  group: "Group",
  hint: "In a group the bot answers those who mention it or reply to its messages.",
  messages: "Messages",
  typing: "the bot is typing",
  speakers: "Who speaks",
  cancel: "Cancel",
  attach: "Attach a text file",
  detach: "Do not send this file",
  write: "Write a message",
  message: "Message",
  send: "Send",
  sent: "What was sent to the model",
  about: ({ about }) => about,
  unasked: ({ unasked }) => unasked,
  question: () => ENGLISH_QUESTION,
  empty: "Nobody has written here yet. Try:",
  reply: "Click to reply",
  replying: "Reply to:",
  editing: "Edit:",
  edit: "Edit",
  edited: "edited",
  thinking: "Thinking…",
  stop: "■ Stop",
  away: "The demo does not answer. Once it runs again, so does this page.",
  refused: (why) => `Not sent: ${why}`,
  unreadable: "the file cannot be read",
  facts: ({ count, time, model, temperature, tokens, messages }) =>
    `Request ${count}, at ${time}: ${model}, temperature ${temperature}, at most ${tokens} tokens, ${messages} messages`,
  ofNoChat: "The program that sent it does not say for which chat.",
};

// What the room says of what it refuses.
const REFUSALS = [
  [/^the text is empty$/, "текст пуст"],
  [/^the text is longer than (\d+) characters$/, "текст длиннее $1 символов"],
  [/^the text has half a surrogate pair in it$/, "в тексте половина символа"],
  [/^no message \d+ in .*$/, "этого сообщения больше нет"],
  [/^no draft .*$/, "этот ответ уже нельзя остановить"],
  [/^this group has become the supergroup (-\d+)$/, "эта группа стала супергруппой $1"],
];

const ABOUT = {
  local:
    "Отвечает крошечная модель на этом компьютере: она говорит только по-английски и мало знает. " +
    "Задайте FOLDER_ID и API_KEY, чтобы отвечал сам YandexGPT.",
  yandexgpt: "Отвечает YandexGPT.",
  missing:
    "Локальная модель не установлена. Выполните `make demo` или задайте FOLDER_ID и API_KEY, " +
    "чтобы отвечал сам YandexGPT.",
};

const russian = {
  title: "Локальный Telegram",
  chat: "Чат",
  chats: "Чаты",
  privateChat: "Личный чат",
  group: "Группа",
  hint: "В группе бот отвечает тем, кто его упомянул или ответил на его сообщение.",
  messages: "Сообщения",
  typing: "бот печатает",
  speakers: "Кто пишет",
  cancel: "Отменить",
  attach: "Прикрепить текстовый файл",
  detach: "Не отправлять этот файл",
  write: "Напишите сообщение",
  message: "Сообщение",
  send: "Отправить",
  sent: "Что отправлено модели",
  about: ({ bot, model }) =>
    (bot ? "" : "Бот здесь не запущен: направьте своего на этот адрес, как сказано в терминале. ") + ABOUT[model],
  unasked: ({ model }) =>
    model === "yandexgpt"
      ? "Запросы уходят прямо в YandexGPT, здесь их не видно."
      : "Пока ничего: напишите боту.",
  question: ({ model }) => (model === "yandexgpt" ? "Объясни фотосинтез одним предложением." : ENGLISH_QUESTION),
  empty: "Здесь ещё никто не писал. Попробуйте:",
  reply: "Нажмите, чтобы ответить",
  replying: "Ответ на:",
  editing: "Правка:",
  edit: "Изменить",
  edited: "изменено",
  thinking: "Думаю…",
  stop: "■ Стоп",
  away: "Демо не отвечает. Как только оно заработает, страница продолжит сама.",
  refused: (why) => {
    const [known, told] = REFUSALS.find(([pattern]) => pattern.test(why)) ?? [];
    return `Не отправлено: ${known ? why.replace(known, told) : why}`;
  },
  unreadable: "файл не читается",
  facts: ({ count, time, model, temperature, tokens, messages }) =>
    `Запрос ${count}, ${time}: ${model}, температура ${temperature}, токенов не больше ${tokens}, сообщений ${messages}`,
  ofNoChat: "Программа, которая его отправила, не говорит, для какого он чата.",
};

export const words = language === "ru" ? russian : english;

// Puts the page's own words where its elements name them.
export function showWords() {
  document.documentElement.lang = language;
  document.title = words.title;
  for (const made of document.querySelectorAll("[data-words]")) made.textContent = words[made.dataset.words];
  for (const name of ["label", "title", "placeholder"]) {
    for (const made of document.querySelectorAll(`[data-${name}]`)) {
      made.setAttribute(name === "label" ? "aria-label" : name, words[made.dataset[name]]);
    }
  }
}
