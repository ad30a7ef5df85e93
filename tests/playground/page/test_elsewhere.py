"""Other websites, which the browser keeps out because the demo says so."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from playwright.async_api import Browser
from starlette import requests, routing
from starlette.applications import Starlette
from starlette.responses import HTMLResponse

from bot.web import serving
from tests.playground.page.conftest import Start

pytestmark = pytest.mark.browser

HOSTILE_PAGE = """
<iframe name="frame"></iframe>
<form target="frame" method="post" enctype="text/plain" action="{url}room/say">
  <input name='{{"chat": 1, "user": 1, "text": "form' value='"}}'>
</form>
<form target="frame" method="get" action="{url}bot1:evil/setWebhook">
  <input name="url" value="http://127.0.0.1:1/x">
</form>
<script>
  const url = "{url}", body = JSON.stringify({{chat: 1, user: 1, text: "fetched"}});
  const json = {{"Content-Type": "application/json"}}, read = [];
  const loaded = (tag, src) => new Promise((resolve) => {{
    const how = {{ src, onload: resolve, onerror: resolve }};
    document.body.append(Object.assign(document.createElement(tag), how));
  }});
  const tried = (path, options) => fetch(url + path, options).then(
    async (response) => read.push(await response.text()), () => {{}});
  (async () => {{
    for (const mode of ["cors", "no-cors"]) {{
      await tried("room/say", {{ method: "POST", mode, body }});
      await tried("room/say", {{ method: "POST", mode, body, headers: json }});
      await tried("room/log", {{ mode }});
      await tried("bot1:evil/getMe", {{ mode }});
    }}
    navigator.sendBeacon(url + "room/say", body);
    await loaded("img", url + "bot1:evil/setWebhook?url=http://127.0.0.1:1/x");
    await loaded("script", url + "bot1:evil/getUpdates");
    await loaded("iframe", url);
    for (const form of document.forms) {{
      form.submit();
      await new Promise((resolve) => (document.querySelector("iframe").onload = resolve));
    }}
    document.title = "done " + read.join("");
  }})();
</script>
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "example.org"])
async def test_other_websites(browser: Browser, started: Start, host: str) -> None:
    """A page of another origin, of the same site or not, reads nothing and changes nothing."""
    async with (
        started("--no-bot") as url,
        serving(Starlette(routes=[routing.Route("/", hostile(url))]), "127.0.0.1", 0) as elsewhere,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        before = (await http.get("/room/chats")).json()
        tab = await browser.new_page()
        await tab.goto(elsewhere.replace("127.0.0.1", host))
        await tab.wait_for_function("document.title.startsWith('done')")
        assert (await tab.title()).strip() == "done"
        assert (await http.get("/room/chats")).json() == before
        assert (await http.get("/room/log")).json()["calls"] == []
        assert (
            await http.get("/bot2:mine/getMe")
        ).status_code == 200  # the first to ask is the bot


def hostile(url: str) -> Callable[[requests.Request], Awaitable[HTMLResponse]]:
    async def page(_: requests.Request) -> HTMLResponse:
        return HTMLResponse(HOSTILE_PAGE.format(url=url))

    return page


async def test_a_name_that_leads_here(browser: Browser, url: str) -> None:
    """A foreign name that resolves to this machine shows nothing of the demo."""
    tab = await browser.new_page()
    for path in ("", "room/log", "about.json"):
        answer = await tab.goto(url.replace("127.0.0.1", "example.org") + path)
        assert answer
        assert answer.status == 403
        assert "not served under this name" in await answer.text()
