"""The page at /gallery, in a real browser."""

import pytest
from gallery_pictures import EVIL, NEWEST, SUBJECTS, fill, job_of, keep, painted
from http_service import TOKEN, served
from playwright.async_api import expect

from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.config import load_settings
from comfygen_mcp.stores.local import LocalStore

pytestmark = pytest.mark.anyio

COUNT = 66
FIRST_PAGE = 60
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def full_settings(folder):
    return settings_in(folder)


@pytest.fixture(scope="module")
async def stored(folder):
    """Ids of what is in the gallery, newest first; the newest prompt tries to be markup."""
    return await fill(folder, COUNT, prompts=[EVIL])


@pytest.fixture(scope="module")
def running(full_settings, stored):
    with served(full_settings) as service:
        yield service


def settings_in(folder):
    places = ("STORE", "INCOMING", "INDEX", "CACHE", "ENGINE_FOLDER")
    environ = {f"COMFYGEN_{place}": str(folder / place.lower()) for place in places}
    return load_settings(environ={**environ, "COMFYGEN_STORE": str(folder / "gallery")}, cwd=folder).settings


@pytest.fixture
def open_gallery(running, new_page):
    async def opened(path="/gallery", **options):
        page = await new_page(**options)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        await page.goto(running.url + path)
        return page

    return opened


def tiles(page):
    return page.locator(".tile")


def shown(page):
    return page.locator('.tile[data-state="shown"]')


async def test_it_shows_the_newest_pictures_painted_and_asks_nobody_else(open_gallery, running, stored):
    page = await open_gallery()

    await expect(page.get_by_role("status")).to_contain_text(f"{COUNT} pictures")
    await expect(tiles(page).first).to_have_attribute("data-state", "shown")
    assert await tiles(page).first.get_attribute("data-id") == stored[0]
    assert all(url.startswith((running.url, "data:")) for url in page.asked)
    pixel = await page.evaluate(
        "() => { const c = document.querySelector('.tile canvas'); return [...c.getContext('2d')"
        ".getImageData(c.width >> 1, 4, 1, 1).data] }"
    )
    assert pixel[3] == 255
    assert len(set(pixel[:3])) > 1


async def test_scrolling_down_brings_the_rest_and_lets_far_pictures_go(open_gallery, stored):
    page = await open_gallery()
    await expect(shown(page).first).to_be_visible()

    await tiles(page).nth(FIRST_PAGE - 1).scroll_into_view_if_needed()
    await expect(tiles(page)).to_have_count(COUNT)
    await tiles(page).last.scroll_into_view_if_needed()
    await expect(tiles(page).last).to_have_attribute("data-state", "shown")

    assert [await tile.get_attribute("data-id") for tile in await tiles(page).all()] == stored
    await expect(tiles(page).first).to_have_attribute("data-state", "waiting")
    await expect(page.get_by_role("button", name="Show more")).to_be_hidden()


async def test_words_are_searched_while_they_are_typed(open_gallery):
    page = await open_gallery()
    await expect(tiles(page).first).to_be_visible()

    await page.keyboard.press("/")
    await page.keyboard.type("paper crane")
    await expect(page.get_by_role("status").first).to_have_text("8 pictures")

    assert "text=paper+crane" in page.url
    for tile in await tiles(page).all():
        assert "paper crane" in await tile.get_attribute("title")
    await page.keyboard.press("Escape")
    await expect(tiles(page).first).to_be_focused()


async def test_filters_by_model_kind_and_time_narrow_and_are_cleared(open_gallery):
    page = await open_gallery()
    await page.get_by_label("Filter by models").select_option("sdxl")
    await expect(page.get_by_role("status").first).to_have_text("22 pictures")
    await page.get_by_label("Filter by kinds").select_option("img2img")
    await expect(page.get_by_role("status").first).to_have_text("6 pictures")
    await page.get_by_label("Filter by time").select_option("days")
    await page.get_by_label("From this day").fill("2026-11-15")
    await page.get_by_label("To this day").fill("2026-11-16")
    await expect(page.get_by_role("status").first).to_have_text("1 picture")

    await page.get_by_role("button", name="Clear", exact=True).click()
    await expect(page.get_by_role("status").first).to_have_text(f"{COUNT} pictures")
    assert "?" not in page.url


async def test_a_search_is_in_the_address_and_can_be_opened_again(open_gallery):
    page = await open_gallery("/gallery?text=tram&backend=sdxl")

    await expect(page.get_by_label("Search prompts and tags")).to_have_value("tram")
    await expect(page.get_by_label("Filter by models")).to_have_value("sdxl")
    await expect(page.get_by_role("status").first).to_have_text("3 pictures")


async def test_nothing_found_says_so_and_leads_back(open_gallery):
    page = await open_gallery("/gallery?text=zebra")

    await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await page.get_by_role("button", name="Clear the filters").click()
    await expect(page.get_by_role("status").first).to_have_text(f"{COUNT} pictures")


async def test_arrow_keys_walk_enter_opens_and_escape_comes_back(open_gallery, stored):
    page = await open_gallery()
    await expect(shown(page).first).to_be_visible()
    await page.keyboard.press("ArrowRight")
    await expect(tiles(page).first).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(tiles(page).nth(1)).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Home")
    await expect(tiles(page).first).to_be_focused()
    await page.keyboard.press("ArrowRight")

    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert page.url.endswith(f"#{stored[1]}")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator(".code code").last).to_have_text(stored[2])
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(tiles(page).nth(2)).to_be_focused()
    assert "#" not in page.url


async def test_the_full_view_has_the_recipe_and_its_buttons_copy_exactly(open_gallery, stored):
    page = await open_gallery(f"/gallery#{stored[5]}")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    dialog = page.get_by_role("dialog")
    await expect(dialog.locator(".stage")).to_have_attribute("data-state", "shown")
    await expect(dialog.locator(".facts")).to_contain_text("euler / normal")
    await expect(dialog.locator(".facts")).to_contain_text("sd15")
    values = {"Copy seed": str(2**63 + 5), "Copy id": stored[5], "Copy prompt": SUBJECTS[5]}
    for name, value in values.items():
        await dialog.get_by_role("button", name=name, exact=True).click()
        await expect(page.locator("[aria-live]")).to_contain_text("copied")
        assert await page.evaluate("navigator.clipboard.readText()") == value
    async with page.expect_download() as download:
        await dialog.get_by_role("link", name="Download").click()
    file = await download.value
    assert file.suggested_filename.endswith(".png")
    assert stored[5] in file.suggested_filename


async def test_a_link_to_a_picture_that_is_not_there_names_near_ones(open_gallery, stored):
    wrong = stored[0][:-1] + ("0" if stored[0][-1] != "0" else "1")
    page = await open_gallery(f"/gallery#{wrong}")

    notice = page.get_by_role("alert").first
    await expect(notice).to_contain_text("This picture is not here (any more).")
    await expect(notice).to_contain_text(stored[0])
    await expect(tiles(page).first).to_be_visible()
    assert await notice.evaluate("e => e.getBoundingClientRect().bottom < 300")
    assert "#" not in page.url
    await notice.get_by_role("button", name="Dismiss").click()
    await expect(notice).to_be_hidden()
    page.complaints.clear()  # Chromium notes the 404 itself


@pytest.mark.parametrize(
    ("query", "chip", "heading", "why"),
    [
        ("model=nope", "Model: nope", "Nothing matches", "Unknown model 'nope'"),
        ("colour=red", "colour: red", "This cannot be searched for", "There is no filter 'colour'"),
        ("since=some+day", "From: some day", "This cannot be searched for", "'some day' is no time"),
        ("tag=nope", None, "Nothing matches", "Unknown tag 'nope'"),
    ],
)
async def test_a_filter_of_the_address_is_shown_even_where_nothing_can_match(
    open_gallery, query, chip, heading, why
):
    page = await open_gallery(f"/gallery?{query}")

    await expect(page.get_by_role("heading", name=heading)).to_be_visible()
    await expect(page.get_by_role("alert").last).to_contain_text(why)
    await expect(tiles(page)).to_have_count(0)
    if chip is None:
        await expect(page.get_by_label("Filter by tags")).to_have_value("nope")
    else:
        await expect(page.get_by_role("button", name=chip)).to_be_visible()
    await page.get_by_role("button", name="Clear the filters").click()
    await expect(page.get_by_role("status").first).to_have_text(f"{COUNT} pictures")
    assert "?" not in page.url
    page.complaints.clear()  # Chromium notes the refusal itself


async def test_filters_without_a_list_of_their_own_narrow_and_can_be_taken_off(open_gallery):
    page = await open_gallery("/gallery?model=sd15&seed=1002&since=2026-11-01&cursor=x")

    await expect(page.get_by_role("status").first).to_have_text("1 picture")
    await expect(page.get_by_label("From this day")).to_have_value("2026-11-01")
    await page.get_by_role("button", name="Seed: 1002").click()
    await expect(page.get_by_role("status").first).to_have_text("22 pictures")
    assert page.url.endswith("?since=2026-11-01&model=sd15")


@pytest.mark.parametrize(
    ("query", "headings"),
    [(f"seed={2**63}", ["Today"]), ("text=paper+crane", ["Yesterday", "November 2026"])],
)
async def test_today_and_yesterday_are_named_however_few_pictures_they_have(
    running, new_page, query, headings
):
    page = await new_page(timezone_id="UTC")
    await page.clock.set_fixed_time(NEWEST)
    await page.goto(f"{running.url}/gallery?{query}")

    await expect(page.locator(".day")).to_have_text(headings)


async def test_the_full_view_begins_without_a_ring_and_shows_the_seed_at_once(new_page, tmp_path):
    first = painted(tmp_path / "long.png", (512, 512), 40)
    job = job_of(1, "a very long prompt, " * 200, NEWEST, kind="img2img", denoise=0.4)
    await keep(Archive(LocalStore(tmp_path / "gallery")), job, first)
    with served(settings_in(tmp_path)) as service:
        page = await new_page(viewport={"width": 1280, "height": 800})
        await page.goto(f"{service.url}/gallery")
        await page.keyboard.press("ArrowRight")
        await expect(tiles(page).first).to_be_visible()
        await tiles(page).first.press("Enter")
        await expect(page.get_by_role("dialog")).to_be_focused()
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "none"

        await expect(page.locator(".code code").first).to_have_text("1001")
        await expect(page.locator(".code code").first).to_be_in_viewport(ratio=1)
        facts = await page.locator(".facts").inner_text()
        assert "Denoise" in facts
        assert "Strength" not in facts
        await page.context.close()


async def test_focus_stays_in_the_full_view_at_the_last_neighbour(open_gallery, stored):
    page = await open_gallery("/gallery?text=paper+crane")
    await tiles(page).nth(1).click()
    previous = page.get_by_role("button", name="Previous")
    await previous.click()
    await expect(previous).to_be_hidden()
    await expect(page.get_by_role("dialog")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(previous).to_be_visible()


async def test_markup_in_a_prompt_is_only_text(open_gallery):
    page = await open_gallery()
    await tiles(page).first.click()

    await expect(page.locator(".prompt").first).to_contain_text('<img src=x onerror="window.hacked=1">')
    assert await page.evaluate("window.hacked") is None
    assert await page.locator("main img, dialog img, main b, dialog b").count() == 0
    assert "\u202e" not in await page.locator(".prompt").first.text_content()


async def test_colours_follow_the_system_or_the_choice(open_gallery):
    async def backgrounds(page):
        return await page.evaluate("getComputedStyle(document.body).backgroundColor")

    dark = await open_gallery(color_scheme="dark")
    light = await open_gallery(color_scheme="light")
    assert await backgrounds(dark) != await backgrounds(light)

    button = light.get_by_role("button", name="Colours")
    await button.click()
    await button.click()
    await expect(button).to_have_attribute("aria-label", "Colours: dark")
    assert await backgrounds(light) == await backgrounds(dark)
    await light.reload()
    assert await backgrounds(light) == await backgrounds(dark)


async def test_on_a_phone_nothing_is_wider_than_the_window(open_gallery):
    page = await open_gallery(**PHONE)
    await expect(shown(page).first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    for name in ("models", "kinds", "time"):
        await expect(page.get_by_label(f"Filter by {name}")).to_be_in_viewport(ratio=1)

    await tiles(page).nth(1).tap()
    await expect(page.locator(".facts")).to_contain_text("Steps")
    assert await page.evaluate("document.querySelector('dialog').scrollWidth") == 390
    await page.get_by_role("button", name="Close").tap()
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_every_control_has_a_name_and_a_visible_focus(open_gallery):
    page = await open_gallery()
    await expect(shown(page).first).to_be_visible()
    await tiles(page).nth(1).click()
    await expect(page.locator(".facts")).to_be_visible()
    nameless = await page.evaluate(
        "() => [...document.querySelectorAll('button, a, input, select, canvas')]"
        ".filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))"
        ".map((e) => e.outerHTML)"
    )
    assert nameless == []

    await page.keyboard.press("Tab")
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


async def test_an_empty_gallery_says_how_it_fills(new_page, tmp_path):
    with served(settings_in(tmp_path)) as service:
        page = await new_page()
        await page.goto(f"{service.url}/gallery")
        await expect(page.get_by_role("heading", name="No pictures yet")).to_be_visible()
        await page.context.close()


async def test_with_a_token_the_page_asks_once_and_keeps_it_for_the_tab(new_page, full_settings, stored):
    with served(full_settings, token=TOKEN) as service:
        page = await new_page()
        await page.goto(f"{service.url}/gallery")
        field = page.get_by_label("Token")
        await expect(field).to_be_focused()
        await field.fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("That is not the token of this server.")
        await field.fill(TOKEN)
        await page.keyboard.press("Enter")
        await expect(shown(page).first).to_be_visible()

        page.complaints.clear()  # Chromium notes each 401 itself
        await page.reload()
        await expect(shown(page).first).to_be_visible()
        assert TOKEN not in page.url
        assert await page.evaluate("document.cookie") == ""
        await page.context.close()


async def test_each_token_sees_its_own_pictures(new_page, tmp_path):
    await fill(tmp_path, 3, owner="alice")
    tokens = {"alice": "alice-has-a-long-token", "bob": "bob-has-another-token"}
    with served(settings_in(tmp_path), tokens=tokens) as service:
        for name, text in (("alice", "3 pictures"), ("bob", "")):
            page = await new_page()
            await page.goto(f"{service.url}/gallery")
            await page.get_by_label("Token").fill(tokens[name])
            await page.keyboard.press("Enter")
            await expect(page.locator(".count")).to_have_text(text)
            await expect(tiles(page)).to_have_count(3 if name == "alice" else 0)
            page.complaints.clear()  # Chromium notes the first 401 itself
            await page.context.close()


async def test_when_the_server_does_not_answer_the_page_says_so_and_tries_again(open_gallery):
    page = await open_gallery()
    await expect(shown(page).first).to_be_visible()
    await page.route("**/api/cards*", lambda route: route.abort())
    await page.get_by_label("Filter by kinds").select_option("img2img")
    await expect(page.get_by_role("alert")).to_contain_text("does not answer")

    await page.unroute("**/api/cards*")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("status").first).to_have_text("17 pictures")
    page.complaints.clear()  # Chromium notes the failed request itself
