// The inspector, in Russian.

import { duration, plural, whole } from "../numbers.js";

/** @param {number} count @param {string} one @param {string} few @param {string} many */
const counted = (count, one, few, many) => plural(count, { one, few, many, other: few });

/** @type {typeof import("../inspector.js").en} */
export const ru = {
  title: "Инспектор",
  answers: "Ответы в этом чате",
  none: "Пока ничего. Напишите боту.",
  no_bot: ({ bot }) => (bot ? "" : "У вашего бота видны запросы и вызовы."),
  storage_away: "Redis не отвечает.",
  seconds: (value) => duration(value, "мс", "с"),
  answer: (number) => `Ответ ${number}`,
  no_request: "без модели",
  in_work: "в работе",
  failed: "ошибка",
  tokens: (count) => counted(count, "токен", "токена", "токенов"),
  newest: "Последний",
  show_message: "Показать в чате",
  compare: "Сравнить с",
  compare_none: "ни с чем",
  copy: "Копировать",
  copy_curl: "Копировать как curl",
  inspect: "Заглянуть внутрь",
  equal_lines: (count) => counted(count, "одинаковая строка", "одинаковые строки", "одинаковых строк"),
  unchanged: (count) => `${whole(count)} без изменений`,
  of_no_chat: "Запрос не говорит, для какого он чата.",

  times: "Токены и время",
  request: "Запрос",
  answered: "Ответ как пришёл",
  left_out: "Не вошло из истории",
  history: "Список в Redis до и после",
  calls: "Вызовы Bot API",
  lane: "Очередь чата",
  compared: (one, other) => `Запросы ${one} и ${other} в сравнении`,

  first_words: "Первые слова",
  whole: "Всего",
  input: "Запрос",
  completion: "Ответ",
  reasoning: "из них рассуждения",
  room: "Место для запроса",
  of: (used, most) => `${whole(used)} из ${whole(most)}`,
  no_tokens: "Ответ пришёл без числа токенов.",
  waiting_for_words: "Модель ещё не ответила.",
  ended: {
    FINAL: "целиком", TRUNCATED_FINAL: "обрезан по числу токенов", CONTENT_FILTER: "остановлен фильтром",
    PARTIAL: "оборвался", UNSPECIFIED: "оборвался", error: "ошибка",
  },
  http: (status) => (status === 499 ? "бот ушёл раньше (499)" : `HTTP ${status}`),
  answering: "отвечает",

  messages: (count) => counted(count, "сообщение", "сообщения", "сообщений"),
  headers: "Заголовки",
  curl: "Строка для curl",
  bytes_left_out: (bytes) => `… пропущено ${counted(bytes, "байт", "байта", "байт")} …`,
  nothing_came: "Ничего не пришло.",

  nothing_left_out: "Ничего: модель получила всю историю.",
  no_history: "Истории ещё не было.",
  unknown_left_out: "Запрос не от этого списка в Redis.",
  unseen_history: "Redis отсюда не виден.",
  why: {
    window: (count, letters, budget) =>
      `Не поместились старые: ${counted(count, "сообщение", "сообщения", "сообщений")} ` +
      `(${counted(letters, "буква", "буквы", "букв")})` +
      (budget === null ? "." : `; в запросе может быть ${counted(budget, "токен", "токена", "токенов")}.`),
    replaced: (count) => `Заменяются последние ${counted(count, "сообщение", "сообщения", "сообщений")}: вопрос задан снова.`,
    unreadable: (count) => `${counted(count, "запись", "записи", "записей")} не от бота, их не прочитать.`,
    unpaired: () => "Первая запись без пары.",
  },
  not_sent: { window: "не поместилось", replaced: "заменяется", unreadable: "не читается", unpaired: "без пары" },

  not_yet: "Прочтём, когда бот закончит.",
  empty_list: "Список пуст.",
  lengths: (before, after) => `записей: ${whole(before)} → ${whole(after)}`,
  added: "добавлено",
  removed: "удалено",

  no_calls: "Ни одного.",
  calls_left_out: (count) => `В середине не сохранено: ${counted(count, "вызов", "вызова", "вызовов")}.`,
  no_answer: "без ответа",
  parameters: "Параметры",
  result: "Результат",
  error: "Ошибка",

  unseen_lane: "Всё закончилось слишком быстро.",
  states: {
    waiting: () => "ждёт работника",
    in_work: ({ owner }) => `в работе у ${owner}`,
    silent: ({ owner }) => `${owner} не подаёт признаков жизни`,
    taken_over: ({ owner, from }) => `${owner} забрал у ${from}`,
    frozen: () => "заморожена Telegram",
    asked_again: () => "у другого работника, в следующем ответе",
    done: () => "готово",
  },
  claims: (count) => `взята ${counted(count, "раз", "раза", "раз")}`,
  behind: (count) => `за ней ждёт ещё ${whole(count)}`,
};
