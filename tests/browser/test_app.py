"""The MCP App, in a sandboxed frame of a host that forwards its calls to a real client of our server."""

import anyio
import pytest
from gallery_pictures import EVIL, fill
from playwright.async_api import expect

pytestmark = pytest.mark.anyio

QUICK = {"model": "sd15", "size": "256x256", "steps": 2}
FILM = {"prompt": "waves", "size": "256x256", "frames": 9, "steps": 2, "preview": "none"}
COMPARED = {"prompt": "a kite", "models": ["sd15"], "size": "256x256"}


@pytest.fixture
def slow_settings(settings_for, slow_engine, tmp_path):
    return settings_for(COMFYUI_URL=slow_engine.url, COMFYGEN_CACHE=str(tmp_path / "cache"))


def tiles(app):
    return app.frame.locator(".tile")


def shown(app):
    return app.frame.locator('.tile[data-state="shown"]')


async def last(app, name, count=1):
    """Return the newest of what the host noted, once there are *count*."""
    with anyio.fail_after(20):
        while len(noted := await app.noted(name)) < count:
            await anyio.sleep(0.02)
    return noted[-1]


async def test_results_are_painted_under_the_strictest_policy_and_fit_the_height(in_host, settings):
    async with in_host(settings) as app:
        result = await app.call("generate_image", {**QUICK, "prompt": "a kite", "count": 3})

        await expect(shown(app)).to_have_count(3)
        await expect(app.frame.get_by_role("heading", name="3 pictures")).to_be_visible()
        await expect(app.frame.locator(".subtitle")).to_have_text("a kite")
        ids = [output["generation_id"] for output in result.structured_content["outputs"]]
        assert [await tile.get_attribute("data-id") for tile in await tiles(app).all()] == ids
        assert await app.noted("violations") == []
        assert max(size["height"] for size in await app.noted("sizes")) <= 500


async def test_pixels_reach_the_page_and_never_the_model(in_host, settings):
    async with in_host(settings) as app:
        result = await app.call("generate_image", {**QUICK, "prompt": "a kite", "preview": "none"})

        await expect(shown(app)).to_have_count(1)
        assert not [block for block in result.content if block.type == "image"]


async def test_a_press_selects_and_the_model_is_told_which(in_host, settings):
    async with in_host(settings) as app:
        result = await app.call("generate_image", {**QUICK, "prompt": "a kite", "count": 2})
        first, second = [output["generation_id"] for output in result.structured_content["outputs"]]
        await tiles(app).nth(1).click()
        told = await last(app, "contexts")
        assert told["structuredContent"] == {"selected_generation_ids": [second]}
        assert second in told["content"][0]["text"]

        await tiles(app).nth(0).focus()
        await app.page.keyboard.press("Space")
        assert (await last(app, "contexts", 2))["structuredContent"]["selected_generation_ids"] == [
            first,
            second,
        ]
        await expect(tiles(app).nth(0)).to_have_attribute("aria-pressed", "true")
        await app.page.keyboard.press("Escape")
        assert (await last(app, "contexts", 3))["structuredContent"]["selected_generation_ids"] == []


async def test_make_variations_asks_the_model_for_them(in_host, settings):
    async with in_host(settings) as app:
        result = await app.call("generate_image", {**QUICK, "prompt": "a kite"})
        identifier = result.structured_content["outputs"][0]["generation_id"]
        await tiles(app).click()
        await app.frame.get_by_role("button", name="Make variations").click()

        message = await last(app, "messages")
        assert message["role"] == "user"
        assert message["content"] == [
            {"type": "text", "text": f"Make 4 variations of generation {identifier}."}
        ]


async def test_a_host_that_takes_no_message_is_quoted(in_host, settings):
    async with in_host(settings) as app:
        await app.page.evaluate("window.refused = 'ui/message'")
        await app.call("generate_image", {**QUICK, "prompt": "a kite"})
        await tiles(app).click()
        await app.frame.get_by_role("button", name="Make variations").click()

        await expect(app.frame.locator(".subtitle")).to_contain_text("not now")


async def test_enter_opens_a_picture_with_its_recipe_and_escape_goes_back(in_host, settings):
    async with in_host(settings) as app:
        await app.call("generate_image", {**QUICK, "prompt": "a kite over the dunes", "count": 2, "seed": 42})
        await tiles(app).first.focus()
        await app.page.keyboard.press("ArrowRight")
        await app.page.keyboard.press("Enter")

        await expect(app.frame.locator(".stage")).to_have_attribute("data-state", "shown")
        await expect(app.frame.locator(".prompt")).to_have_text("a kite over the dunes")
        await expect(app.frame.locator(".facts")).to_contain_text("256 \N{MULTIPLICATION SIGN} 256")
        await expect(app.frame.locator(".code code").first).to_have_text("42")
        await app.page.keyboard.press("Escape")
        await expect(tiles(app).nth(1)).to_be_focused()
        assert max(size["height"] for size in await app.noted("sizes")) <= 500


async def test_a_running_job_shows_its_progress_and_then_its_picture(in_host, slow_settings):
    async with in_host(slow_settings) as app:
        result = await app.call(
            "generate_image", {**QUICK, "prompt": "a slow kite", "steps": 60, "wait_s": 0}
        )
        assert result.structured_content["status"] in {"queued", "running"}

        await expect(app.frame.get_by_role("heading", name="Making a picture")).to_be_visible()
        bar = app.frame.get_by_role("progressbar")
        await expect(app.frame.locator(".progress-text")).to_contain_text("step")
        assert await bar.get_attribute("aria-valuemax") == "100"
        await expect(shown(app)).to_have_count(1, timeout=30_000)
        await expect(bar).to_have_count(0)


async def test_a_job_that_fails_later_says_why(in_host, slow_settings):
    async with in_host(slow_settings) as app:
        result = await app.call(
            "generate_image", {**QUICK, "prompt": "a doomed kite", "steps": 900, "wait_s": 0}
        )
        await expect(app.frame.get_by_role("progressbar")).to_be_visible()
        await app.client.call_tool("cancel_job", {"job_id": result.structured_content["job_id"]})

        await expect(app.frame.locator(".trouble")).to_contain_text("cancelled")


async def test_a_comparison_of_models_is_labelled_and_one_with_two_axes_is_a_table(in_host, settings):
    async with in_host(settings) as app:
        await app.call("compare_models", {**COMPARED, "models": ["sd15", "sdxl"], "steps": 2})
        await expect(shown(app)).to_have_count(2)
        assert await app.frame.locator(".cell-name").all_text_contents() == ["sd15", "sdxl"]

        axes = {"steps": [2, 3], "cfg": [1, 7]}
        await app.call("compare_models", {**COMPARED, "axes": axes})
        await expect(shown(app)).to_have_count(4)
        assert await app.frame.locator(".column-name").all_text_contents() == ["1", "7"]
        assert await app.frame.locator(".row-name").all_text_contents() == ["2", "3"]
        await tiles(app).nth(3).click()
        assert len((await last(app, "contexts"))["structuredContent"]["selected_generation_ids"]) == 1


async def test_a_running_comparison_fills_up(in_host, slow_settings):
    wanted = {**COMPARED, "axes": {"seeds": [1, 2, 3]}, "steps": 20}
    async with in_host(slow_settings) as app:
        await app.call("compare_models", {**wanted, "wait_s": 0})
        await expect(app.frame.locator(".title")).to_contain_text("Comparing")
        await expect(app.frame.locator(".cell-empty").first).to_be_visible()

        await expect(app.frame.locator(".title")).to_have_text("Comparison of 3", timeout=30_000)
        await expect(shown(app)).to_have_count(3)


async def test_a_search_is_shown_in_pages_that_can_be_turned(in_host, settings, tmp_path):
    stored = await fill(tmp_path, 40)
    async with in_host(settings, viewport={"width": 760, "height": 640}) as app:
        await app.call("search_gallery", {})
        await expect(app.frame.get_by_role("heading", name="40 pictures")).to_be_visible()
        seen = []
        following = app.frame.get_by_role("button", name="Next page")
        while True:
            seen += [await tile.get_attribute("data-id") for tile in await tiles(app).all()]
            if await following.is_disabled():
                break
            before = seen[-1]
            await following.click()
            await expect(app.frame.locator(f'.tile[data-id="{before}"]')).to_have_count(0)

        assert seen == stored
        assert max(size["height"] for size in await app.noted("sizes")) <= 500


async def test_one_generation_and_an_empty_search_and_an_error_are_shown_too(in_host, settings, tmp_path):
    stored = await fill(tmp_path, 1, prompts=[EVIL])
    async with in_host(settings) as app:
        await app.call("get_generation", {"generation_id": stored[0]})
        await expect(shown(app)).to_have_count(1)
        await expect(app.frame.locator(".subtitle")).to_contain_text("<img src=x onerror=")

        await app.call("search_gallery", {"text": "zebra"})
        await expect(app.frame.locator(".trouble")).to_have_text("Nothing in the gallery matches.")

        await app.call("get_generation", {"generation_id": "01a1fee8-7d06-7fc9-8a79-d7322243e390"})
        await expect(app.frame.locator(".trouble")).to_contain_text("01a1fee8")
        assert await app.frame.locator("img").count() == 0
        assert await app.noted("violations") == []


async def test_a_cancelled_call_says_so(in_host, settings):
    async with in_host(settings) as app:
        await app.tell("tool-input", {"arguments": {"prompt": "a kite"}})
        await expect(app.frame.locator(".subtitle")).to_have_text("a kite")
        await app.tell("tool-cancelled", {"reason": "user"})

        await expect(app.frame.locator(".trouble")).to_have_text("The call was cancelled.")


async def test_the_theme_and_the_display_mode_follow_the_host(in_host, settings):
    context = {
        "theme": "dark",
        "displayMode": "inline",
        "availableDisplayModes": ["inline", "fullscreen"],
        "styles": {"variables": {"--color-text-primary": "rgb(1, 2, 3)"}},
    }
    async with in_host(settings, context=context) as app:
        await app.call("generate_image", {**QUICK, "prompt": "a kite"})
        root = app.frame.locator("html")
        assert await root.evaluate("(e) => getComputedStyle(e).colorScheme") == "dark"
        assert (
            await app.frame.locator(".title").evaluate("(e) => getComputedStyle(e).color") == "rgb(1, 2, 3)"
        )
        assert (
            await app.frame.locator("body").evaluate("(e) => getComputedStyle(e).backgroundColor")
            == "rgba(0, 0, 0, 0)"
        )

        await app.frame.get_by_role("button", name="Full screen").click()
        await expect(root).to_have_attribute("data-mode", "fullscreen")
        await app.tell("host-context-changed", {"theme": "light"})
        await expect(root).to_have_attribute("data-theme", "light")


async def test_in_a_host_that_forwards_no_calls_the_page_says_that_pictures_are_missing(in_host, settings):
    async with in_host(settings) as app:
        await app.page.evaluate("window.refused = 'tools/call'")
        await app.call("generate_image", {**QUICK, "prompt": "a kite"})

        await expect(app.frame.locator('.tile[data-state="broken"]')).to_have_count(1)


async def test_a_video_is_played_where_the_host_allows_it(in_host, settings):
    async with in_host(settings) as app:
        made = await app.call(
            "generate_video",
            FILM,
        )
        assert not made.is_error, made.content
        await expect(shown(app)).to_have_count(1)
        await tiles(app).first.dblclick()
        await app.frame.get_by_role("button", name="Play the video").click()

        video = app.frame.locator("video")
        await expect(video).to_have_js_property("readyState", 4)
        assert (await video.get_attribute("src")).startswith("blob:")
        assert await app.noted("violations") == []


async def test_a_video_that_the_host_does_not_let_play_stays_a_still(in_host, settings):
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
    async with in_host(settings, policy=policy) as app:
        await app.call(
            "generate_video",
            FILM,
        )
        await tiles(app).first.dblclick()
        await app.frame.get_by_role("button", name="Play the video").click()

        await expect(app.frame.locator(".stage-note")).to_contain_text("cannot be played here")
        app.page.complaints.clear()  # Chromium notes the refused video itself
