// Russian.

import { ru as faults } from "./faults.js";
import { ru as inspector } from "./inspector.js";
import { ru as settings } from "./settings.js";
import { ru as world } from "./world.js";

const TINY = "крошечная модель на этом компьютере: она говорит только по-английски и мало знает.";
const MISSING = "Локальная модель не установлена. Выполните `make demo`.";
const INSTEAD = "Задайте FOLDER_ID и API_KEY, чтобы отвечал сам YandexGPT.";

/** @type {Record<string, string>} */
const ABOUT = { local: `Отвечает ${TINY} ${INSTEAD}`, yandexgpt: "Отвечает YandexGPT.", missing: `${MISSING} ${INSTEAD}` };

const NO_BOT = "Бот здесь не запущен: направьте своего на этот адрес, как сказано в терминале.";

/** @type {Record<string, string>} */
const WITHOUT_BOT = { local: `${NO_BOT} Completion API здесь — ${TINY}`, missing: `${NO_BOT} ${MISSING}` };

// What the room says of what it refuses.
/** @type {[RegExp, string][]} */
const REFUSALS = [
  [/^the text is empty$/, "текст пуст"],
  [/^the text is longer than (\d+) characters$/, "текст длиннее $1 символов"],
  [/^the text has half a surrogate pair in it$/, "в тексте половина символа"],
  [/^no message \d+ in .*$/, "этого сообщения больше нет"],
  [/^no draft .*$/, "этот ответ уже нельзя остановить"],
  [/^this group has become the supergroup (-\d+)$/, "эта группа стала супергруппой $1"],
  [/^this topic is closed$/, "тема закрыта"],
  [/^slow mode: ([\d.]+) s to wait$/, "медленный режим: подождите $1 с"],
  [/^this person has no \w+ here$/, "здесь у вас нет на это права"],
];

/** @param {string} why */
function inRussian(why) {
  const [known, told] = REFUSALS.find(([pattern]) => pattern.test(why)) ?? [];
  return known && told ? why.replace(known, told) : why;
}

const MIGRATED = "Группа стала супергруппой";

/** @type {import("../index.js").Words} */
export const russian = {
  title: "Песочница",
  today: "Сегодня",
  yesterday: "Вчера",
  units: ["Б", "КБ", "МБ"],

  chats: "Чаты",
  search: "Поиск",
  none_found: "Чата с таким названием нет.",
  speakers: "Кто вы",
  be: (name) => `Быть: ${name}`,
  you: "Вы",
  unread: (count) => `непрочитанных: ${count}`,
  members: { one: "участник", few: "участника", many: "участников", other: "участника" },
  subscribers: { one: "подписчик", few: "подписчика", many: "подписчиков", other: "подписчика" },
  bot: "бот",
  no_messages: "Сообщений пока нет",
  draft: "Черновик:",
  back: "К списку чатов",
  topics: "Темы",
  general: "Общее",
  statuses: { creator: "вы владелец", administrator: "вы админ", restricted: "вы ограничены" },

  model: (name) => `Модель: ${name}`,
  models: { local: "SmolLM2, на этом компьютере", missing: "нет", yandexgpt: "YandexGPT" },
  menu: "Меню",
  theme: "Тема",
  themes: { system: "Как в системе", light: "Светлая", dark: "Тёмная" },
  language: "Язык",
  shortcuts: "Сочетания клавиш",
  inside: "Заглянуть внутрь",

  hello: "Это Telegram на вашем компьютере.",
  hello_bot: "Напишите боту или начните с этого:",
  hello_group: "В группе бот отвечает тем, кто его упомянул или ответил на его сообщение.",
  about: ({ bot, model }) => (bot ? ABOUT : WITHOUT_BOT)[model] ?? "",

  kinds: {
    photo: "Фото", video: "Видео", video_note: "Видеосообщение", voice: "Голосовое сообщение", audio: "Аудио",
    animation: "GIF", sticker: "Стикер", document: "Файл", venue: "Место", location: "Геопозиция", contact: "Контакт",
    poll: "Опрос", dice: "Кубик",
  },
  service: {
    joined: (name) => `${name} теперь в группе`,
    added: (by, who) => `${by} добавляет: ${who}`,
    left: (name) => `${name} больше не в группе`,
    removed: (by, who) => `${by} удаляет: ${who}`,
    topic: (name) => `Открыта тема «${name}»`,
    plain: {
      forum_topic_closed: "Тема закрыта", forum_topic_reopened: "Тема снова открыта",
      forum_topic_edited: "Тема изменена", general_forum_topic_hidden: "Тема скрыта",
      general_forum_topic_unhidden: "Тема снова видна",
      migrate_to_chat_id: MIGRATED, migrate_from_chat_id: MIGRATED,
    },
    pinned: (name) => `${name} закрепляет сообщение`,
    titled: (name, title) => `${name} называет группу «${title}»`,
  },

  chat: "Чат",
  messages: "Сообщения",
  not_shown: "Сообщение, которое нельзя показать",
  earlier: "Показать более ранние",
  to_end: "К последнему сообщению",
  typing: "печатает",
  thinking: "Думаю…",
  stop: "Стоп",
  edited: "изменено",
  sent: "Отправлено",
  taken: "Получено ботом",
  enlarge: "Показать снимок крупно",
  reveal: "Показать",
  play: "Слушать",
  pause: "Пауза",
  place: "Место в записи",
  poll: {
    quiz: "Викторина",
    closed: "Опрос закрыт",
    votes: (count) => (count ? `Голосов: ${count}` : "Голосов пока нет"),
  },
  as_media: "Фото, видео или музыка",
  spoiler: "Скрытый текст: нажмите, чтобы показать",
  all: "Показать всё",
  forwarded: (name) => `Переслано от: ${name}`,
  via: "через",
  copied: "Скопировано",
  not_copied: "Браузер не даёт странице копировать",
  not_here: "Страница этого не умеет",
  write_where: "В каком чате написать?",
  choose_group: "В какую группу добавить бота?",
  bot_says: "Бот говорит",
  reply: "Ответить",
  edit: "Изменить",
  copy: "Скопировать текст",
  remove: "Удалить",
  forward: "Переслать",
  forward_where: "В какой чат переслать?",
  more: "Что сделать с этим сообщением",
  away: "Демо не отвечает. Как только оно заработает, страница продолжит сама.",
  refused: (why) => `Не отправлено: ${inRussian(why)}`,
  failed: (why) => `Не вышло: ${inRussian(why)}`,
  close: "Закрыть",
  ok: "Хорошо",

  write: "Сообщение",
  send: "Отправить",
  attach: "Прикрепить файл",
  detach: "Не отправлять этот файл",
  commands: "Команды",
  keyboard: "Клавиатура бота",
  cancel: "Отменить",
  replying: (name) => `Ответ: ${name}`,
  editing: "Правка сообщения",
  no_writing: "Вы не можете здесь писать",
  suggestions: (count) => `Подсказок: ${count}. Выберите стрелками и Enter`,

  keys: [
    ["Enter", "Отправить"],
    ["Shift Enter", "Новая строка"],
    ["ArrowUp", "Изменить своё последнее сообщение (в пустом поле)"],
    ["Escape", "Отменить ответ или правку, закрыть открытое"],
    ["/", "Команды"],
    ["@", "Упомянуть кого-то"],
    ["Ctrl K", "Найти чат"],
    ["Alt ArrowUp", "Чат выше"],
    ["Alt ArrowDown", "Чат ниже"],
    ["ArrowUp ArrowDown", "От сообщения к сообщению; Enter открывает меню"],
    ["Ctrl /", "Этот список; вне полей и ?"],
  ],

  faults,
  inspector,
  settings,
  world,
};
