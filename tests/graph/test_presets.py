"""Presets and styles come from data, the user's over the bundled ones, and never spoil a picture silently."""

import pytest

from comfygen_mcp.errors import BadConfiguration, UnknownName
from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.presets import Preset, Style, apply_style, bundled_presets_file, load_presets, preset_values

WAN = "wan2.2_t2v_lightx2v_4steps_lora_v1.1_{}_noise.safetensors"


@pytest.fixture
def own(tmp_path):
    def write(text):
        file = tmp_path / "my-presets.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("draft", (10, 5.0, "euler", "normal")),
        ("balanced", (20, 7.0, "euler_ancestral", "normal")),
        ("high-quality", (50, 7.5, "dpmpp_2m_sde", "karras")),
        ("fast", (15, 7.0, "dpmpp_2m", "normal")),
        ("ultra", (100, 8.0, "dpmpp_2m_sde", "karras")),
    ],
)
def test_the_five_presets_are_what_they_say(name, settings):
    preset = load_presets().preset(name)

    assert (preset.steps, preset.cfg, preset.sampler, preset.scheduler) == settings
    assert preset.made_for == "sd"
    sampler = shipped_catalogue().get("KSampler").inputs
    assert preset.sampler in sampler["sampler_name"].options
    assert preset.scheduler in sampler["scheduler"].options


def test_exactly_five_presets_ship_and_every_entry_is_described():
    presets = load_presets()

    assert list(presets.presets) == ["draft", "balanced", "high-quality", "fast", "ultra"]
    assert len(presets.styles) >= 12
    entries = (presets.presets, presets.styles, presets.lora_presets)
    assert all(entry.description for group in entries for entry in group.values())


def test_the_text_to_video_lora_preset_ships():
    loras = load_presets().lora_preset("text_to_video").loras

    assert [(lora.name, lora.strength) for lora in loras] == [
        (WAN.format("high"), 1.0),
        (WAN.format("low"), 1.0),
    ]


@pytest.mark.parametrize("name", list(load_presets().styles))
def test_a_style_keeps_the_prompt_whole_even_with_braces_in_it(name):
    prompt = 'a {prompt} of "${seed}" {0} %s \U0001f98a\n' + "x" * 1000

    wrapped, negative = apply_style(load_presets().style(name), prompt, "text")

    assert wrapped.count(prompt) == 1
    assert len(wrapped) > len(prompt)
    assert negative.startswith("text, ")


@pytest.mark.parametrize(
    ("style", "negative", "joined"),
    [
        (Style(negative="blurry"), "", "blurry"),
        (Style(negative="blurry"), " ", "blurry"),
        (Style(), "text ", "text"),
        (Style(), "", ""),
        (Style(negative="blurry"), "text", "text, blurry"),
    ],
)
def test_negative_prompts_are_joined_without_gaps(style, negative, joined):
    assert apply_style(style, "a fox", negative) == ("a fox", joined)


def test_a_preset_for_sd_models_leaves_a_distilled_model_alone_and_says_so():
    preset = Preset(made_for="sd", steps=50, cfg=7.5, sampler="dpmpp_2m_sde", scheduler="karras", width=768)

    values, notes = preset_values(preset, distilled=True, force=False, name="mine")

    assert values == {"width": 768}
    (note,) = notes
    assert note.startswith("Preset 'mine' is made for SD 1.5 and SDXL. This model is of another kind")
    assert "keeps its own steps, cfg, sampler, scheduler" in note
    assert "force_preset" in note


@pytest.mark.parametrize(
    ("made_for", "distilled", "force"), [("sd", True, True), ("sd", False, False), ("any", True, False)]
)
def test_a_preset_is_applied_whole_where_it_fits_or_is_forced(made_for, distilled, force):
    preset = Preset(made_for=made_for, steps=50, cfg=7.5, height=640)

    assert preset_values(preset, distilled=distilled, force=force) == (
        {"steps": 50, "cfg": 7.5, "height": 640},
        (),
    )


def test_a_preset_of_sizes_only_needs_no_note():
    assert preset_values(Preset(made_for="sd", width=640), distilled=True, force=False) == (
        {"width": 640},
        (),
    )


def test_the_users_entries_replace_and_add(own):
    file = own(
        "presets:\n"
        "  draft: {steps: 3}\n"
        "  mine: {cfg: 2, sampler: lcm}\n"
        "styles:\n"
        "  mine: {prompt: 'my {prompt}'}\n"
        "lora_presets:\n"
        "  mine: {loras: [{name: a.safetensors, strength: 0.7}, {name: b.safetensors}]}\n"
    )

    presets = load_presets(file)

    assert presets.preset("draft") == Preset(steps=3)
    assert presets.preset("mine") == Preset(cfg=2.0, sampler="lcm")
    assert presets.preset("ultra") == load_presets().preset("ultra")
    assert apply_style(presets.style("mine"), "fox") == ("my fox", "")
    assert [(lora.name, lora.strength) for lora in presets.lora_preset("mine").loras] == [
        ("a.safetensors", 0.7),
        ("b.safetensors", 1.0),
    ]


@pytest.mark.parametrize("text", ["", "presets:\n", "# nothing yet\n", "presets: {}\nstyles: {}\n"])
def test_an_empty_file_changes_nothing(own, text):
    assert load_presets(own(text)) == load_presets()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("presets:\n\tdraft: {steps: 3}\n", "line 2, column 1"),
        ("presets:\n\tdraft: {steps: 3}\n", "YAML does not allow tabs"),
        (
            "presets:\n  a:\n    stps: 3\n",
            "line 3, column 5: presets.a.stps is not a known key. Did you mean 'steps'?",
        ),
        ("presetz: {}\n", "line 1, column 1: presetz is not a known key. Did you mean 'presets'?"),
        ("zzzz: {}\n", "Known keys: presets, styles, lora_presets"),
        ("styles:\n  x: {promt: a}\n", "Did you mean 'prompt'?"),
        ("styles:\n  x: {prompt: hello}\n", "styles.x.prompt: it must contain {prompt}"),
        (
            "lora_presets:\n  x: {loras: [{name: a, weight: 1}]}\n",
            "lora_presets.x.loras.0.weight is not a known key",
        ),
        ("presets:\n  a: {steps: 0}\n", "presets.a.steps"),
        ("presets:\n  a: {cfg: .nan}\n", "presets.a.cfg"),
        ("presets: 3\n", "line 1, column 1: presets"),
        ("just text\n", "my-presets.yaml"),
    ],
)
def test_a_mistake_is_named_with_its_place(own, text, words):
    file = own(text)

    with pytest.raises(BadConfiguration) as caught:
        load_presets(file)

    assert words in str(caught.value)
    assert str(caught.value).startswith("my-presets.yaml")
    assert str(file.parent) not in str(caught.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(BadConfiguration, match=r"nothing\.yaml"):
        load_presets(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    ("kind", "name"), [("preset", "draff"), ("style", "phto"), ("lora_preset", "text-to-video")]
)
def test_an_unknown_name_names_the_nearest(kind, name):
    with pytest.raises(UnknownName, match="Did you mean"):
        getattr(load_presets(), kind)(name)


def test_the_bundled_file_is_the_one_of_the_checkout():
    assert bundled_presets_file().name == "presets.yaml"
    assert bundled_presets_file().is_file()
