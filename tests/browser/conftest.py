"""A real Chromium, pages in it that may not break any rule, and a host that shows the App in a frame."""

from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from playwright.async_api import async_playwright

from comfygen_mcp.app import open_app
from comfygen_mcp.server import build_server
from comfygen_mcp.server.app_page import URI

HOST = (Path(__file__).parent / "host.html").read_text(encoding="utf-8")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'none'; "
    "connect-src 'none'; media-src blob:; frame-src 'none'; base-uri 'none'; form-action 'none'"
)
"""As strict as hosts are: not even an image from `data:`."""
APPS = advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})


@pytest.fixture
def settings(settings_for, engine, tmp_path):
    return settings_for(COMFYUI_URL=engine.url, COMFYGEN_CACHE=str(tmp_path / "cache"))


@pytest.fixture(scope="module")
async def browser(chromium):
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield running
        await running.close()


@pytest.fixture
async def new_page(browser):
    """Return a function that opens a page; afterwards none of them has complained about anything."""
    contexts, complaints = [], []

    async def opened(**options):
        context = await browser.new_context(
            **{"viewport": {"width": 1280, "height": 860}, "locale": "en-GB", **options}
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda told: told.type in {"error", "warning"} and complaints.append(told.text))
        page.complaints = complaints
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert complaints == []


@pytest.fixture
def in_host(new_page):
    """Return a function: settings → a host with a connected client, and the App in its frame."""

    @asynccontextmanager
    async def shown(settings, *, context=None, abilities=None, policy=POLICY, **options):
        server = build_server(lambda: open_app(settings, {}), settings=lambda: settings)
        async with Client(server, extensions=[APPS]) as client:
            page = await new_page(**options)
            await page.set_content(HOST)
            await _connect(page, client)
            html = (await client.read_resource(URI)).contents[0].text
            await page.evaluate(
                "([html, policy, context, abilities]) => showApp(html, policy, context, abilities)",
                [html, policy, context or {"displayMode": "inline"}, abilities or {"serverTools": {}}],
            )
            await page.evaluate("connected")
            yield AppInHost(page, client)

    return shown


class AppInHost:
    """What a test does with the App: call a tool as the model does, look, read what the host noted."""

    def __init__(self, page, client):
        self.page = page
        self.client = client
        self.frame = page.frame_locator("iframe")

    async def call(self, tool, arguments):
        """Call *tool* and show its result, as a host does."""
        await self.tell("tool-input", {"arguments": arguments})
        result = await self.client.call_tool(tool, arguments)
        await self.tell("tool-result", result.model_dump(mode="json", by_alias=True, exclude_none=True))
        return result

    async def tell(self, name, params):
        await self.page.evaluate(
            "([name, params]) => tell('ui/notifications/' + name, params)", [name, params]
        )

    async def noted(self, name):
        return await self.page.evaluate("(name) => noted[name]", name)


async def _connect(page, client):
    async def call_tool(name, arguments):
        result = await client.call_tool(name, arguments)
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)

    async def read_resource(uri):
        return (await client.read_resource(uri)).model_dump(mode="json", by_alias=True, exclude_none=True)

    await page.expose_function("callTool", call_tool)
    await page.expose_function("readResource", read_resource)
