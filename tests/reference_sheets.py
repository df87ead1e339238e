"""The sheets that are committed as pictures, and what it means to look like one of them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from sheet_pictures import cut_out, landscape

from comfygen_mcp.sheets.base import Sheet, SheetCell
from comfygen_mcp.sheets.draw import draw_sheet
from comfygen_mcp.sheets.fonts import Fonts

FOLDER = Path(__file__).parent / "sheets"
FONTS = tuple(sorted((FOLDER / "fonts").glob("Noto*")))
PROMPT = "a red fox in a snowy forest at dawn, soft light, 35 mm"
SEED = "seed 4242424242"
MODELS = ("flux1-dev", "sdxl-turbo", "sd3.5-large", "hidream-i1", "qwen-image", "z-image-turbo", "chroma-hd")
REFERENCE_WIDTH = 1400
"""References are kept no wider than this."""
MOST_MEAN, MOST_LOCAL = 2.0, 9.0
"""Levels of 255 by which a sheet may differ on average, and anywhere after a blur that hides small shifts."""
BLUR = 7


def fonts():
    """Return fonts that are the same on every machine: the shipped ones and the few in this folder."""
    return Fonts(FONTS, system=False)


def done(number, width=640, height=640, **fields):
    usual = {"title": MODELS[number % len(MODELS)], "subtitle": f"{1840 + number * 731} ms · {SEED}"}
    return SheetCell(**usual | {"picture": landscape(width, height, number)} | fields)


def without(state, number, reason):
    return SheetCell(title=MODELS[number], subtitle=SEED, state=state, reason=reason)


def _seven():
    refused = 'ComfyUI at gpu-2 has no "qwen-image-fp8.safetensors". Install it there, or leave it out.'
    return Sheet(
        header=PROMPT,
        subheader=f"7 models · {SEED}",
        cells=(
            *(done(number) for number in range(3)),
            done(3, picture=b"no picture at all"),
            without("failed", 4, refused),
            without("pending", 5, "Waits for gpu-1"),
            without("skipped", 6, "gpu-3 is switched off"),
        ),
    )


def _grid():
    cells = [done(number, 512, 512, title="", subtitle="") for number in range(12)]
    cells[6] = SheetCell(title="", state="failed", reason="The host went away while the picture was made.")
    return Sheet(
        header=PROMPT,
        subheader=f"sdxl-turbo · {SEED}",
        cells=tuple(cells),
        column_axis="steps",
        column_labels=("4", "8", "12", "20"),
        row_axis="LoRA strength",
        row_labels=("0.4", "0.8", "watercolour-v3 at 1.2"),
    )


def _mixed():
    return Sheet(
        header="Portrait, landscape, square, small, very wide, transparent",
        cells=(
            *(done(0, 832, 1216), done(1, 1216, 832), done(2), done(3, 96, 96), done(4, 1344, 576)),
            done(5, picture=cut_out(640, 640, 6)),
        ),
    )


def _cjk():
    return Sheet(
        header="雪の森に立つ赤い狐、夜明け、柔らかな光。「静けさ」を描く、絵画のように細部まで丁寧に、深い雪と長い影、遠くの山々",
        subheader="모델 2개 비교 · 种子 4242",
        cells=(
            done(0, title="水彩モデル 第三版", subtitle="1840 ms · 种子 42"),
            done(1, title="한국어 모델 이름", subtitle="简体中文 · 雪中的红狐"),
            done(2, title="墨絵風", subtitle="2571 ms · 种子 42"),
        ),
    )


def _arabic():
    return Sheet(
        header="ثعلب أحمر في غابة ثلجية عند الفجر، ضوء ناعم (flux1-dev, 20 steps) بدقة 1024",
        subheader="🦊 👩🏽‍🚀 ⭐ 😀 🇯🇵",
        cells=(done(0, title="نموذج الألوان المائية", subtitle="زمن 1840 ms"), done(1)),
    )


SHEETS = {
    "one": Sheet(header=PROMPT, cells=(done(0),)),
    "two": Sheet(header=PROMPT, subheader=f"2 models · {SEED}", cells=(done(0), done(1))),
    "two-kerned": Sheet(header=PROMPT, subheader=f"2 models · {SEED}", cells=(done(0), done(1))),
    "three-portraits": Sheet(header=PROMPT, cells=tuple(done(number, 512, 768) for number in range(3))),
    "seven-with-failures": _seven(),
    "twenty-four": Sheet(
        header=PROMPT, subheader=f"24 models · {SEED}", cells=tuple(done(n, 256, 256) for n in range(24))
    ),
    "grid": _grid(),
    "mixed-sizes": _mixed(),
    "cjk": _cjk(),
    "arabic-and-emoji": _arabic(),
    "long-words": Sheet(
        header="supercalifragilisticexpialidocious" * 12,
        subheader=f"{PROMPT}, " * 9,
        cells=(
            done(
                0, title="stabilityai/stable-diffusion-xl-base-1.0_fp16_pruned_ema_only_v1_0.safetensors" * 2
            ),
            done(1, subtitle="averylongsubtitlewithoutanyspaceinit" * 4),
        ),
    ),
    "missing-fonts": Sheet(
        header="雪の狐 a fox in the snow ༀཧཱུྃ",
        cells=(done(0, title="ཨོཾ་མ་ཎི"), done(1)),
    ),
}
SHAPED = frozenset(("two-kerned", "arabic-and-emoji"))
"""Drawn with HarfBuzz, where the machine has it; the others without, so that they look the same anywhere."""


def drawn(name, **changes):
    """Draw the sheet of that name, with *changes* to its fields, the way its reference was drawn."""
    return draw_sheet(SHEETS[name].model_copy(update=changes), fonts(), shaping=name in SHAPED)


def reference_path(name):
    return FOLDER / "reference" / f"{name}.webp"


def as_reference(png):
    """Return a drawn sheet as it is kept: no wider than the limit."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.thumbnail((REFERENCE_WIDTH, 100_000), Image.Resampling.LANCZOS)
    return image


def difference(one, other):
    """Return by how many levels two pictures of one size differ on average, and at most after a blur."""
    blurred = [
        np.asarray(image.filter(ImageFilter.GaussianBlur(BLUR)), dtype=float) for image in (one, other)
    ]
    sharp = [np.asarray(image, dtype=float) for image in (one, other)]
    return np.abs(sharp[0] - sharp[1]).mean(), np.abs(blurred[0] - blurred[1]).mean(axis=2).max()
