// The page: a chat client for the local Telegram, and a look inside.

import { byId } from "./dom.js";
import { follow } from "./follow.js";
import { mountCompose } from "./chat/compose.js";
import { mountHeader } from "./chat/header.js";
import { mountHeard } from "./chat/heard.js";
import { mountKeyboard } from "./chat/keyboard.js";
import { mountKeys } from "./chat/keys.js";
import { mountList } from "./chat/list.js";
import { mountMain } from "./chat/mainmenu.js";
import { mountMessages } from "./chat/messages.js";
import { mountFaultMark } from "./faultmark.js";
import { mountAside } from "./panels/aside.js";
import { store } from "./store.js";
import { showWords, words } from "./words/index.js";

showWords();
mountMain();
mountList();
mountHeader();
mountMessages();
mountCompose();
mountKeyboard();
mountHeard();
mountAside();
mountFaultMark();
mountKeys();
store.subscribe(["away"], ({ away }) => {
  byId("away").textContent = away ? words.away : "";
});
store.subscribe(["listed"], ({ listed }) => byId("app").classList.toggle("listed", listed));
void follow();
