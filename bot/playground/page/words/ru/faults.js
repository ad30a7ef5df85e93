// Faults, in Russian.

/** @type {typeof import("../faults.js").en} */
export const ru = {
  title: "Сбои",
  intro: "Сломайте что-нибудь и убедитесь, что ни один вопрос не пропадает. Всё длится, пока не почините.",
  heal: "Починить всё",
  targets: { telegram: "Telegram", model: "Модель", storage: "Хранилище" },
  kinds: { "": "работает", slow: "медлит", refusing: "отказывает", flooding: "просит не частить", cutting: "рвёт соединения", away: "недоступно", silent: "не отвечает" },
  parameters: { seconds: "Секунд", status: "С кодом", retry_after: "Повторить через, секунд" },
  workers: "Процессы",
  workers_intro: "Процесс и есть бот. То, что было в работе у убитого или замороженного, через 12 секунд берёт другой.",
  worker: (pid) => `Процесс ${pid}`,
  states: { starting: "запускается", running: "работает", frozen: "заморожен", ending: "доделывает начатое", killed: "убит", ended: "завершился" },
  acts: { kill: "Убить", freeze: "Заморозить", thaw: "Разморозить", end: "Завершить" },
  start: "Запустить ещё один",
  no_worker: "нет ни одного процесса",
  frozen: "процесс заморожен",
  mark: "Сбой: ",
  heal_short: "Починить",
  busy: (place) => `Модель занята ответами в других чатах. Ваш ${place === 1 ? "следующий" : `— ${place}-й в очереди`}.`,
};
