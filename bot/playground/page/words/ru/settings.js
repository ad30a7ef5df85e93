// The bot's settings, in Russian.

/** @type {typeof import("../settings.js").en} */
export const ru = {
  title: "Настройки",
  intro: "Действуют во всех чатах, пока работает демо. Что чат выбрал в /settings, важнее.",
  model: (name) => `Модель: ${name}`,
  local: "Чтобы отвечал YandexGPT, запустите демо с FOLDER_ID и API_KEY в окружении. На странице ключи не вводят.",
  prompt: "Системный промпт",
  temperature: "Температура, от 0 (сухо) до 1 (с выдумкой)",
  tokens: "Самый длинный ответ, в токенах",
  streaming: "Как растёт ответ",
  ways: { edits: "правками сообщения", drafts: "черновиками, в личном чате", off: "никак" },
  apply: "Применить",
  applying: "Бот перезапускается с ними…",
  applied: "Применено. Действует со следующего вопроса.",
};
