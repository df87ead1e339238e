"""Which installed file a name means, with folders and extensions left out, on Linux and on Windows."""

import pytest

from comfygen_mcp.graph.lora_names import matching_files, nearest_files

INSTALLED = (
    "style.safetensors",
    "Film_Grain.safetensors",
    "sdxl/style.safetensors",
    "sdxl/ohwx-v1.5.safetensors",
    "sub/dir/nested.safetensors",
    "windows\\places\\house.safetensors",
    "twice.safetensors",
    "twice.pt",
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("style.safetensors", ("style.safetensors",)),
        ("style", ("style.safetensors",)),
        ("sdxl/style", ("sdxl/style.safetensors",)),
        ("sdxl\\style.safetensors", ("sdxl/style.safetensors",)),
        ("nested", ("sub/dir/nested.safetensors",)),
        ("dir/nested", ("sub/dir/nested.safetensors",)),
        ("ir/nested", ()),
        ("ohwx-v1.5", ("sdxl/ohwx-v1.5.safetensors",)),
        ("ohwx-v1", ()),
        ("film_grain", ("Film_Grain.safetensors",)),
        ("HOUSE", ("windows\\places\\house.safetensors",)),
        ("places/house", ("windows\\places\\house.safetensors",)),
        ("windows\\places\\house.safetensors", ("windows\\places\\house.safetensors",)),
        ("twice", ("twice.safetensors", "twice.pt")),
        ("twice.pt", ("twice.pt",)),
        (" style ", ("style.safetensors",)),
        ("", ()),
        ("/", ()),
        ("tyle", ()),
    ],
)
def test_a_name_finds_its_file_and_nothing_less_like_it(name, found):
    assert matching_files(name, INSTALLED) == found


def test_the_same_case_wins_over_another():
    assert matching_files("Style", ("style.safetensors", "a/Style.safetensors")) == ("a/Style.safetensors",)


def test_nearest_files_are_compared_without_folders_and_extensions():
    near = nearest_files("stile.safetensors", INSTALLED)

    assert near[:2] == ["style.safetensors", "sdxl/style.safetensors"]
    assert len(near) == 3
    assert nearest_files("film-grain-v2", INSTALLED) == ["Film_Grain.safetensors"]
    assert nearest_files("zzzz", INSTALLED) == []
