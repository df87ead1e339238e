"""`/gallery` without a browser: the page's policy, what its data asks for, and what it refuses."""

import json
import re

import pytest
from gallery_pictures import fill
from http_service import BEARER, TOKEN, served
from PIL import Image

from comfygen_mcp.server.page import document

pytestmark = pytest.mark.anyio

API = "/gallery/api"


@pytest.fixture
async def stored(tmp_path):
    return await fill(tmp_path, 5)


@pytest.fixture
def cached_settings(settings_for, tmp_path):
    return settings_for(COMFYGEN_CACHE=str(tmp_path / "cache"))


def test_the_page_may_run_its_own_script_and_nothing_else(cached_settings):
    with served(cached_settings) as running:
        reply = running.http.get("/gallery")

    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    found = document("site")
    assert found.script_digest in policy
    assert found.style_digest in policy
    assert reply.text == found.html


@pytest.mark.parametrize("place", ["app", "site"])
def test_the_page_is_one_file_that_names_no_other_place(place):
    html = document(place).html

    assert "{{" not in html
    assert not re.search(r"\b(src|href)=[\"'](?!data:)", html)
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", html)
    assert not re.search(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\()", html)
    assert html.count("</script") == 1


def test_an_address_with_a_slash_leads_to_the_page(cached_settings):
    with served(cached_settings, token=TOKEN) as running:
        reply = running.http.get("/gallery/")

    assert reply.status_code == 308
    assert reply.headers["location"] == "../gallery"


async def test_with_a_token_only_the_empty_page_is_open(cached_settings, stored):
    paths = [f"{API}/cards", f"{API}/facets", f"{API}/recipes/{stored[0]}", f"{API}/pictures/{stored[0]}"]
    with served(cached_settings, token=TOKEN) as running:
        page = running.http.get("/gallery")
        without = [running.http.get(path) for path in [*paths, "/gallery/api", "/galleryx"]]
        with_token = [running.http.get(path, headers=BEARER) for path in paths]

    assert page.status_code == 200
    assert not any(identifier in page.text for identifier in stored)
    assert {reply.status_code for reply in without} == {401}
    assert {reply.status_code for reply in with_token} == {200}


async def test_foreign_origins_and_hosts_get_nothing(cached_settings, stored):
    with served(cached_settings) as running:
        origin = running.http.get(f"{API}/cards", headers={"Origin": "https://evil.example"})
        host = running.http.get("/gallery", headers={"Host": "evil.example"})

    assert (origin.status_code, host.status_code) == (403, 421)


async def test_pages_of_cards_come_newest_first_and_name_no_folder(cached_settings, stored, tmp_path):
    seen, cursor = [], None
    with served(cached_settings) as running:
        while True:
            query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = running.http.get(f"{API}/cards", params=query).json()
            seen += [card["id"] for card in page["cards"]]
            cursor = page["cursor"]
            if cursor is None:
                break
        texts = [running.http.get(f"{API}/{path}").text for path in ("cards", f"recipes/{stored[0]}")]

    assert seen == stored
    assert not any(str(tmp_path) in text for text in texts)
    assert isinstance(json.loads(texts[0])["cards"][0]["seed"], str)


async def test_a_recipe_has_a_link_that_needs_no_token(cached_settings, stored):
    with served(cached_settings, token=TOKEN) as running:
        recipe = running.http.get(f"{API}/recipes/{stored[1]}", headers=BEARER).json()
        file = running.http.get(recipe["download_url"])

    assert recipe["card"]["id"] == stored[1]
    assert recipe["negative_prompt"] == "blurry, watermark"
    assert file.headers["content-type"] == "image/png"
    assert stored[1] in recipe["file_name"]


async def test_small_pictures_are_kept_by_browsers_and_asked_for_no_more(cached_settings, stored, tmp_path):
    with served(cached_settings) as running:
        first = running.http.get(f"{API}/pictures/{stored[0]}", params={"edge": 200})
        again = running.http.get(
            f"{API}/pictures/{stored[0]}",
            params={"edge": 200},
            headers={"If-None-Match": first.headers["etag"]},
        )
        kept = list((tmp_path / "cache" / "thumbnails").rglob("*.webp"))

    assert first.headers["content-type"] == "image/webp"
    assert "immutable" in first.headers["cache-control"]
    assert again.status_code == 304
    assert len(kept) == 1
    with Image.open(kept[0]) as picture:
        assert max(picture.size) == 256


async def test_what_cannot_be_searched_for_is_named(cached_settings, stored):
    with served(cached_settings) as running:
        replies = {
            query: running.http.get(f"{API}/{query}")
            for query in (
                "cards?colour=red",
                "cards?limit=many",
                "cards?limit=1000",
                "cards?kind=txt2imgg",
                "cards?min_score=high",
                "cards?cursor=nonsense",
                f"recipes/{stored[0][:-4]}ffff",
                "pictures/nothing",
            )
        }
        missing = running.http.get(f"{API}/nothing")

    assert {reply.status_code for reply in replies.values()} <= {400, 404}
    assert "colour" in replies["cards?colour=red"].json()["error"]
    assert "txt2img" in replies["cards?kind=txt2imgg"].json()["error"]
    assert stored[0] in replies[f"recipes/{stored[0][:-4]}ffff"].json()["error"]
    assert missing.status_code == 404


async def test_a_file_that_is_gone_has_no_small_picture(cached_settings, stored, tmp_path):
    with served(cached_settings) as running:
        running.http.get(f"{API}/cards")
        for file in (tmp_path / "gallery").rglob("*.png"):
            file.unlink()
        reply = running.http.get(f"{API}/pictures/{stored[0]}")

    assert reply.status_code == 404
    assert str(tmp_path) not in reply.text


async def test_a_recipe_that_cannot_be_read_is_said_and_counted(cached_settings, stored, tmp_path):
    with served(cached_settings) as running:
        running.http.get(f"{API}/cards")
        for file in (tmp_path / "gallery").rglob("*.json"):
            file.unlink()
        reply = running.http.get(f"{API}/recipes/{stored[0]}")
        metrics = running.http.get("/metrics").text

    assert reply.status_code == 503
    assert stored[0] in reply.json()["error"]
    assert str(tmp_path) not in reply.text
    assert 'comfygen_store_errors_total{operation="gallery"} 1.0' in metrics


def test_a_server_that_cannot_open_its_app_leads_to_the_page_that_says_why(settings_for, tmp_path):
    with served(settings_for(COMFYGEN_PRESETS=str(tmp_path / "none.yaml"))) as running:
        reply = running.http.get(f"{API}/cards")

    assert reply.status_code == 503
    assert "/ready" in reply.json()["error"]
    assert str(tmp_path) not in reply.text
