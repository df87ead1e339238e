"""What a file is, told by its first bytes and never by its name."""

from dataclasses import dataclass

GIVE = "Give a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF picture."


@dataclass(frozen=True)
class FileKind:
    """A kind of file in *words*; *reader* is Pillow's name for it, None for what is no usable picture.

    *advice* says what to give in its place.
    """

    words: str
    reader: str | None = None
    advice: str = GIVE


_FRAME = "Give one frame of it as a PNG or JPEG."
_PAGE = "Give one page of it as a PNG."
_SAVE = "Save it as a PNG or JPEG first."
_UNPACK = "Unpack it, and give the picture itself."

_VIDEO = FileKind("a video", advice=_FRAME)
_AUDIO = FileKind("a sound")
_HEIC = FileKind("a HEIC picture", advice=_SAVE)
_UNKNOWN = FileKind("data of an unknown kind")

_SIGNATURES: tuple[tuple[int, bytes, FileKind], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", FileKind("a PNG picture", "PNG")),
    (0, b"\xff\xd8\xff", FileKind("a JPEG picture", "JPEG")),
    (0, b"GIF87a", FileKind("a GIF picture", "GIF")),
    (0, b"GIF89a", FileKind("a GIF picture", "GIF")),
    (8, b"WEBP", FileKind("a WebP picture", "WEBP")),
    (8, b"CR\x02", FileKind("a raw photo of a camera", advice=_SAVE)),
    (0, b"II*\x00", FileKind("a TIFF picture", "TIFF")),
    (0, b"MM\x00*", FileKind("a TIFF picture", "TIFF")),
    (0, b"II+\x00", FileKind("a TIFF picture", "TIFF")),
    (0, b"MM\x00+", FileKind("a TIFF picture", "TIFF")),
    (0, b"\x00\x00\x00\x0cjP  ", FileKind("a JPEG 2000 picture", advice=_SAVE)),
    (0, b"\x00\x00\x00\x0cJXL ", FileKind("a JPEG XL picture", advice=_SAVE)),
    (0, b"\xff\x0a", FileKind("a JPEG XL picture", advice=_SAVE)),
    (0, b"8BPS", FileKind("a Photoshop file", advice=_SAVE)),
    (0, b"v/1\x01", FileKind("an OpenEXR picture", advice=_SAVE)),
    (0, b"\x00\x00\x01\x00", FileKind("an icon", advice=_SAVE)),
    (0, b"%PDF-", FileKind("a PDF document", advice=_PAGE)),
    (0, b"%!PS", FileKind("a PostScript document", advice=_PAGE)),
    (0, b"\x1aE\xdf\xa3", _VIDEO),
    (8, b"AVI ", _VIDEO),
    (8, b"WAVE", _AUDIO),
    (0, b"fLaC", _AUDIO),
    (0, b"OggS", FileKind("a sound or a video")),
    (0, b"ID3", _AUDIO),
    *((0, bytes((0xFF, second)), _AUDIO) for second in (0xFB, 0xF3, 0xF2, 0xF1, 0xF9)),
    (0, b"PK\x03\x04", FileKind("a ZIP archive or an Office document", advice=_UNPACK)),
    (0, b"\x1f\x8b", FileKind("a gzip archive", advice=_UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", FileKind("a 7z archive", advice=_UNPACK)),
    (0, b"Rar!", FileKind("a RAR archive", advice=_UNPACK)),
    (0, b"\x7fELF", FileKind("a program")),
    (0, b"MZ", FileKind("a program")),
)
"""Offset, bytes, kind."""
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
"""Sizes of the header after "BM": two letters alone begin many a text."""
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_AUDIO_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
_TEXT_READ = 4096


def kind_of(data: bytes) -> FileKind:
    """Return what *data* is, as its first bytes tell."""
    if not data:
        return FileKind("an empty file")
    for start, signature, kind in _SIGNATURES:
        if data[start : start + len(signature)] == signature:
            return kind
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return FileKind("a BMP picture", "BMP")
    if data[4:8] == b"ftyp":
        return _boxed(data)
    return _text(data[:_TEXT_READ]) or _UNKNOWN


def _boxed(data: bytes) -> FileKind:
    """Tell pictures, sounds and videos apart that share the MP4 container, by its brands."""
    length = min(int.from_bytes(data[:4], "big"), 256)
    main, further = data[8:12], {data[at : at + 4] for at in range(16, length, 4)}
    if main in _AVIF_BRANDS or (main in _HEIC_BRANDS and further & _AVIF_BRANDS):
        return FileKind("an AVIF picture", "AVIF")
    if main in _HEIC_BRANDS:
        return _HEIC
    return _AUDIO if main in _AUDIO_BRANDS else _VIDEO


def _text(beginning: bytes) -> FileKind | None:
    if beginning[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return FileKind("plain text")
    if any(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in beginning):
        return None
    try:
        # The last character may be cut in the middle.
        text = beginning.decode("utf-8-sig", errors="strict" if len(beginning) < _TEXT_READ else "ignore")
    except UnicodeDecodeError:
        return None
    return _written(text.lstrip().casefold())


def _written(text: str) -> FileKind:
    if "<svg" in text and text.startswith("<"):
        return FileKind("an SVG drawing", advice="Draw it as a PNG first.")
    if text.startswith(("<!doctype html", "<html")):
        return FileKind("a web page", advice="Give the address of the picture itself, or the picture.")
    if text.startswith(("{", "[")):
        return FileKind("JSON text")
    return FileKind("plain text")
