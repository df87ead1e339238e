"""What survives a power cut: the order in which a file, its name and its folder reach the disk."""

import errno
import os
from pathlib import Path

import pytest

from comfygen_mcp.stores.local import LocalStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def calls(monkeypatch):
    """Record, in order, what is told to the disk: (`sync`, inode) and (`rename`, inode of the file)."""
    seen = []
    sync, rename = os.fsync, os.replace

    def fsync(descriptor):
        seen.append(("sync", os.fstat(descriptor).st_ino))
        sync(descriptor)

    def replace(source, target, **options):
        seen.append(("rename", Path(source).stat().st_ino))
        rename(source, target, **options)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return seen


def inode(path):
    return path.stat().st_ino


@pytest.mark.parametrize("way", ["from bytes", "from a file"])
async def test_a_files_bytes_are_on_disk_before_its_name_and_its_name_before_it_is_reported(
    tmp_path, calls, way
):
    folder = tmp_path / "store"
    folder.mkdir()
    if way == "from bytes":
        await LocalStore(folder).put_bytes("fox.png", b"fox", mime="image/png")
    else:
        (tmp_path / "fetched").write_bytes(b"fox")
        await LocalStore(folder).put_file("fox.png", tmp_path / "fetched", mime="image/png")

    file = inode(folder / "fox.png")
    assert calls == [("sync", file), ("rename", file), ("sync", inode(folder))]


async def test_a_new_folder_is_on_disk_in_the_one_above_before_anything_is_put_into_it(tmp_path, calls):
    store = tmp_path / "store"
    await LocalStore(store).put_bytes("g/2026/fox.png", b"fox", mime="image/png")

    parents = [("sync", inode(folder)) for folder in (tmp_path, store, store / "g")]
    file = inode(store / "g" / "2026" / "fox.png")
    assert calls == [*parents, ("sync", file), ("rename", file), ("sync", inode(store / "g" / "2026"))]


async def test_a_file_of_the_same_disk_is_not_copied_and_outlives_its_first_name(tmp_path):
    fetched = tmp_path / "fetched"
    fetched.write_bytes(b"fox")
    await LocalStore(tmp_path / "store").put_file("fox.png", fetched, mime="image/png")
    stored = tmp_path / "store" / "fox.png"
    same = stored.samefile(fetched)
    fetched.unlink()

    assert same
    assert stored.read_bytes() == b"fox"


async def test_a_file_is_copied_where_it_can_have_no_second_name(tmp_path, monkeypatch):
    def refused(_source, _target):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refused)
    (tmp_path / "fetched").write_bytes(b"fox")
    await LocalStore(tmp_path / "store").put_file("fox.png", tmp_path / "fetched", mime="image/png")

    assert (tmp_path / "store" / "fox.png").read_bytes() == b"fox"
    assert not (tmp_path / "store" / "fox.png").samefile(tmp_path / "fetched")


async def test_a_file_given_by_a_link_is_stored_as_the_file_it_leads_to(tmp_path):
    (tmp_path / "fetched").write_bytes(b"fox")
    (tmp_path / "link").symlink_to(tmp_path / "fetched")
    await LocalStore(tmp_path / "store").put_file("fox.png", tmp_path / "link", mime="image/png")

    assert not (tmp_path / "store" / "fox.png").is_symlink()
    assert (tmp_path / "store" / "fox.png").read_bytes() == b"fox"


async def test_storing_the_same_file_twice_leaves_one_file_and_nothing_beside_it(tmp_path):
    (tmp_path / "fetched").write_bytes(b"fox")
    for _ in range(2):
        await LocalStore(tmp_path / "store").put_file("fox.png", tmp_path / "fetched", mime="image/png")

    assert [path.name for path in (tmp_path / "store").iterdir()] == ["fox.png"]
