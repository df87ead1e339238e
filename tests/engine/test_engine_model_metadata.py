"""/view_metadata answers as a real ComfyUI does: metadata, 404, or 500 for a broken file."""

import struct
import urllib.error
import urllib.parse
import urllib.request

import pytest
from engine_server import EngineServer
from safetensors_files import write_safetensors


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    loras = folder / "models" / "loras"
    write_safetensors(loras / "sub" / "told.safetensors", {"ss_network_dim": "4"})
    write_safetensors(loras / "silent.safetensors")
    (loras / "empty.safetensors").touch()
    (loras / "text.safetensors").write_bytes(struct.pack("<Q", 4) + b"nope")
    (loras / "list.safetensors").write_bytes(struct.pack("<Q", 2) + b"[]")
    (loras / "huge.safetensors").write_bytes(struct.pack("<Q", 2**40))
    write_safetensors(loras / "other.bin", {"a": "b"})
    write_safetensors(folder / "secret.safetensors", {"a": "b"})
    with EngineServer(folder) as server:
        yield server


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("loras?filename=sub/told.safetensors", (200, b'{"ss_network_dim": "4"}')),
        ("loras?filename=silent.safetensors", (404, b"")),
        ("loras?filename=style.safetensors", (404, b"")),
        ("loras?filename=huge.safetensors", (404, b"")),
        ("loras?filename=other.bin", (404, b"")),
        ("loras?filename=../../secret.safetensors", (404, b"")),
        ("vae?filename=sub/told.safetensors", (404, b"")),
        ("loras?filename=a%00b.safetensors", (404, b"")),
        ("loras", (404, b"")),
        ("loras?filename=empty.safetensors", (500, None)),
        ("loras?filename=text.safetensors", (500, None)),
        ("loras?filename=list.safetensors", (500, None)),
    ],
)
def test_metadata_comes_from_real_files_below_the_folder(engine, path, expected):
    try:
        with urllib.request.urlopen(f"{engine.url}/view_metadata/{path}", timeout=10) as reply:  # noqa: S310 - ours
            status, body = reply.status, reply.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()

    assert status == expected[0]
    assert expected[1] in {None, body}
    assert str(engine.folder).encode() not in body
