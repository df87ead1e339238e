"""Texts for callers elsewhere: folders of the server shrink to their names, all else stays."""

from pathlib import Path

import pytest
from mcp.types import CallToolResult, ImageContent, TextContent

from comfygen_mcp.config import Settings
from comfygen_mcp.server.privacy import hidden_result, hiding_folders


@pytest.fixture
def hide():
    return hiding_folders(
        Settings.model_validate(
            {
                "store": "/srv/pictures/gallery",
                "incoming": Path("/srv/pictures/gallery/incoming"),
                "engine": {"folder": Path("/var/engine")},
                "workflow_dirs": (Path("/"), Path("/opt")),
                "input_dirs": (Path("/home/fox/photos"), Path("/home/fox/photos/old")),
                "cache": Path("/home/fox/.cache/comfygen-mcp"),
            }
        )
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("kept at /srv/pictures/gallery/incoming/1/a.png.", "kept at incoming/1/a.png."),
        ("local folder /srv/pictures/gallery", "local folder gallery"),
        ("file:///srv/pictures/gallery/g/a.png", "gallery/g/a.png"),
        ("log in /var/engine/engine.log", "log in engine/engine.log"),
        ("no file /home/fox/photos/old/a.png", "no file old/a.png"),
        ("file:///home/fox/photos/b.png", "photos/b.png"),
        ("in /home/fox/.cache/comfygen-mcp/object_info", "in comfygen-mcp/object_info"),
        ("a road / a street, /opt, 1/2", "a road / a street, /opt, 1/2"),
    ],
)
def test_a_path_is_shown_from_the_folders_name_on(hide, text, shown):
    assert hide(text) == shown


def test_every_text_of_a_result_is_hidden_and_pictures_are_left_alone(hide):
    picture = ImageContent(type="image", data="AAAA", mime_type="image/png")
    result = CallToolResult(
        content=[TextContent(type="text", text="/var/engine/x"), picture],
        structured_content={"jobs": [{"error": "/var/engine/x", "seed": 7, "none": None}]},
    )
    hidden = hidden_result(result, hide)

    assert hidden.content[0].text == "engine/x"
    assert hidden.content[1] == picture
    assert hidden.structured_content == {"jobs": [{"error": "engine/x", "seed": 7, "none": None}]}


def test_a_remote_store_has_no_folder_to_hide():
    settings = Settings.model_validate({"store": "s3://bucket", "s3": {"endpoint": "http://127.0.0.1:9000"}})

    assert hiding_folders(settings)("in s3://bucket/g") == "in s3://bucket/g"
