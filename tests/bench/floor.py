"""What Python itself can do: the bot's calls to Telegram and the model in a loop on aiohttp.

Nothing is stored, formatted, ordered or tried again; there is no library for Telegram. Each line of
a stream is read as it comes, as a plain program does.
"""

import asyncio
import json
import os
from typing import Any

import aiohttp
import uvloop

STOP = {"inline_keyboard": [[{"text": "■", "callback_data": "stop:1"}]]}


async def floor() -> None:
    """Poll, ask the model for a stream, send the first text, edit it to be the last."""
    base = f"{os.environ['TELEGRAM_API_URL']}/bot{os.environ['TELEGRAM_TOKEN']}"
    completion = f"{os.environ['COMPLETION_URL']}/foundationModels/v1/completion"
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as tasks:

        async def call(method: str, **parameters: Any) -> Any:
            async with http.post(f"{base}/{method}", json=parameters) as response:
                return (await response.json())["result"]

        async def answer(chat: int, question: str) -> None:
            body = {
                "modelUri": "gpt://f/yandexgpt-lite",
                "completionOptions": {"stream": True, "temperature": 0.6, "maxTokens": "2000"},
                "messages": [{"role": "user", "text": question}],
            }
            shown, text = None, ""
            headers = {"Authorization": "Api-Key k"}
            async with http.post(completion, json=body, headers=headers) as response:
                async for line in response.content:
                    text = json.loads(line)["result"]["alternatives"][0]["message"]["text"]
                    if not shown:
                        shown = await call(
                            "sendMessage", chat_id=chat, text=text, reply_markup=STOP
                        )
            assert shown
            ids = {"chat_id": chat, "message_id": shown["message_id"]}
            await call("editMessageText", **ids, text=text)

        offset = 0
        while True:
            for update in await call("getUpdates", offset=offset, timeout=25):
                offset = update["update_id"] + 1
                message = update["message"]
                tasks.create_task(answer(message["chat"]["id"], message["text"]))


if __name__ == "__main__":
    uvloop.run(floor())
