"""The gallery: searched, found by id, tagged, shared and deleted, with every ComfyUI off."""

from datetime import timedelta

import anyio
import pytest
from gallery_world import DAY, HOUR, NOW, found, generation, keys, many, opened, put, put_edit
from watched_store import WatchedStore, away

from comfygen_mcp import sidecar
from comfygen_mcp.errors import BadRequest, StoreFailed, UnknownName
from comfygen_mcp.index.base import Query
from comfygen_mcp.services.gallery_find import GONE
from comfygen_mcp.services.gallery_keys import moment_of
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    return LocalStore(tmp_path / "store") if request.param == "local" else MemoryStore()


async def test_what_lies_in_a_store_is_found_by_the_first_search(store, tmp_path):
    await put(store, *many(3))
    async with opened(store, tmp_path / "index") as gallery:
        page = await gallery.search(Query(text="fox"), limit=2, count=True)

        assert [entry.prompt for entry in page.entries] == ["fox number 2", "fox number 1"]
        assert page.total == 3
        rest = await gallery.search(Query(text="fox"), limit=2, cursor=page.cursor)
        assert [entry.prompt for entry in rest.entries] == ["fox number 0"]
        assert rest.cursor is None
        assert await gallery.size() == 3


@pytest.mark.parametrize("limit", [0, 201, -1])
async def test_a_page_of_an_odd_size_is_refused(tmp_path, limit):
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        with pytest.raises(BadRequest, match="1 to 200"):
            await gallery.search(Query(), limit=limit)


async def test_a_generation_is_found_by_its_id_and_by_its_beginning(store, tmp_path):
    one, other = generation(NOW - DAY), generation(NOW - HOUR, 1)
    await put(store, one, other)
    async with opened(store, tmp_path / "index") as gallery:
        for wanted in (one.id, one.id.upper(), f" {one.id} ", one.id[:13], one.id.replace("-", "")[:12]):
            assert await gallery.find(wanted) == one
        assert (await gallery.entry(other.id)).seed == 1
        assert await gallery.beginning_with(one.id[:3]) == [other.id, one.id]


async def test_one_that_the_index_has_not_read_is_found_in_the_store(tmp_path):
    store = WatchedStore(MemoryStore())
    one = generation()
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == []
        await put(store, one)

        assert await gallery.find(one.id) == one
        assert await gallery.entry(one.id[:10])
        assert await gallery.counts("model")


async def test_without_a_usable_index_ids_are_found_in_the_store_with_their_edits(store, tmp_path):
    one, gone = many(2)
    await put(store, one, gone)
    await put_edit(store, one.id, NOW, tags=("red",), shared=True)
    await put_edit(store, gone.id, NOW, deleted=True)
    (tmp_path / "index").write_text("a file where a folder should be")
    async with opened(store, tmp_path / "index") as gallery:
        assert (await gallery.find(one.id)).tags == ("red",)
        assert (await gallery.entry(one.id[:8] + one.id[8:14])).shared
        with pytest.raises(UnknownName):
            await gallery.find(gone.id)


async def test_an_unknown_id_names_the_nearest_ones_of_that_day(store, tmp_path):
    one, other = generation(NOW - HOUR), generation(NOW - 9 * DAY, 1)
    await put(store, one, other)
    wrong = one.id[:-1] + ("0" if one.id[-1] != "0" else "1")
    async with opened(store, tmp_path / "index") as gallery:
        with pytest.raises(UnknownName) as raised:
            await gallery.find(wrong)
        assert one.id in str(raised.value)
        assert other.id not in str(raised.value)
        with pytest.raises(UnknownName) as raised:
            await gallery.find(generation(NOW - 40 * DAY, 5).id)
        assert one.id in str(raised.value)
        with pytest.raises(UnknownName, match="search_gallery finds"):
            await gallery.find("00000000")


@pytest.mark.parametrize(
    "wanted", ["", "fox", "zzzzzzzz", "1' OR 1=1 --", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"]
)
async def test_what_is_no_id_is_refused(tmp_path, wanted):
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        with pytest.raises(BadRequest, match="is not a generation id"):
            await gallery.find(wanted)


async def test_a_beginning_of_several_names_them(store, tmp_path):
    pair = [generation(NOW - HOUR, number) for number in (1, 2)]
    await put(store, *pair)
    async with opened(store, tmp_path / "index") as gallery:
        with pytest.raises(BadRequest, match="Several generations") as raised:
            await gallery.find(pair[0].id[:8])
        beginnings = str(raised.value).partition("such as ")[2].partition(". Give")[0].split(", ")
        assert {(await gallery.find(each)).id for each in beginnings} == {one.id for one in pair}


async def test_a_sidecar_whose_file_was_deleted_is_found_and_says_so(store, tmp_path):
    one = generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        await store.delete(one.key)

        assert await found(gallery) == [one.prompt]
        assert (await gallery.find(one.id)).notes == (*one.notes, GONE)
        with pytest.raises(StoreFailed):
            await gallery.read_output(one)


async def test_a_sidecar_that_somebody_removed_is_named_until_the_index_is_built_again(store, tmp_path):
    one = generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == [one.prompt]
        await store.delete(one.key + sidecar.SUFFIX)
        with pytest.raises(StoreFailed, match="gallery reindex"):
            await gallery.find(one.id)
        await gallery.reindex()
        assert await found(gallery) == []


async def test_tags_are_added_removed_and_found(store, tmp_path):
    one = generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        assert (await gallery.tag(one.id, add=["  Red   FOX ", "keep"])).tags == ("keep", "red fox")
        assert (await gallery.tag(one.id[:10], add=["new"], remove=["KEEP"], by="ana")).tags == (
            "new",
            "red fox",
        )
        assert (await gallery.find(one.id)).tags == ("new", "red fox")
        assert await found(gallery, tags=("red fox",)) == [one.prompt]
        assert await found(gallery, tags=("keep",)) == []
        before = await keys(store, "edits/")
        await gallery.tag(one.id, add=["new"], remove=["never there"])
        assert await keys(store, "edits/") == before
        assert len(before) == 2


async def test_tags_that_are_set_within_one_moment_keep_their_order(store, tmp_path):
    one = generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        for number in range(20):
            await gallery.tag(one.id, add=[f"tag {number}"])
    async with opened(store, tmp_path / "other") as elsewhere:
        assert len((await elsewhere.entry(one.id)).tags) == 20


async def test_an_edit_counts_after_those_of_a_machine_whose_clock_is_ahead(store, tmp_path):
    one, other = many(2)
    await put(store, one, other)
    async with (
        opened(store, tmp_path / "ahead", now=NOW + HOUR) as ahead,
        opened(store, tmp_path / "right") as right,
    ):
        await ahead.tag(one.id, add=["a"])
        await right.reindex()
        assert (await right.tag(one.id, add=["b", "keep"])).tags == ("a", "b", "keep")
        await right.tag(one.id, remove=["a"])
        await right.tag(other.id, add=["of now"])
        await right.reindex()
        assert (await right.entry(one.id)).tags == ("b", "keep")
        await ahead.reindex()
        await ahead.tag(one.id, add=["c"])
    async with opened(store, tmp_path / "third") as third:
        assert (await third.entry(one.id)).tags == ("b", "c", "keep")
    written = [key async for key in _edits_of(store, other.id)]
    assert [moment_of(key) for key in written] == [NOW + timedelta(milliseconds=2)], (
        "others keep the right time"
    )


async def _edits_of(store, generation_id):
    for key in await keys(store, "edits/"):
        if generation_id.encode() in await store.read(key):
            yield key


async def test_an_edit_is_made_even_if_nobody_can_tell_what_others_made(tmp_path, caplog):
    store, one = WatchedStore(MemoryStore()), generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.entry(one.id)
        store.before = lambda verb, key: away(verb, key) if verb == "list" else None
        assert (await gallery.tag(one.id, add=["red"])).tags == ("red",)
        store.before = lambda verb, key: None
        assert (await gallery.entry(one.id)).tags == ("red",)
    assert "nobody answers" in caplog.text


async def test_tags_of_another_program_can_be_removed(store, tmp_path):
    one = generation().model_copy(update={"tags": ("Keep", "a,b", "red")})
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        assert (await gallery.tag(one.id, remove=["keep", "a,b"])).tags == ("red",)


async def test_tags_that_are_set_at_once_are_all_kept(store, tmp_path):
    one = generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(lambda number: gallery.tag(one.id, add=[f"tag {number}"]), number)
        assert len((await gallery.entry(one.id)).tags) == 8


@pytest.mark.parametrize("tag", ["", "   ", "a,b", 'say "x"', "a" * 51, "line\x00feed", "\u202eturned"])
async def test_what_is_no_tag_is_refused_and_changes_nothing(tmp_path, tag):
    store, one = MemoryStore(), generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        with pytest.raises(BadRequest, match="cannot be a tag"):
            await gallery.tag(one.id, add=["good", tag])
        assert (await gallery.entry(one.id)).tags == ()


async def test_a_generation_has_at_most_fifty_tags(tmp_path):
    store, one = MemoryStore(), generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        with pytest.raises(BadRequest, match="51 tags, more than 50"):
            await gallery.tag(one.id, add=[str(number) for number in range(51)])


async def test_what_was_deleted_is_gone_from_everywhere(store, tmp_path):
    one, other = many(2)
    await put(store, one, other)
    async with opened(store, tmp_path / "index") as gallery:
        assert (await gallery.delete(one.id, by="ana")).prompt == one.prompt
        assert await found(gallery) == [other.prompt]
        with pytest.raises(UnknownName):
            await gallery.find(one.id)
        with pytest.raises(UnknownName):
            await gallery.delete(one.id)
        assert await keys(store, "g/") == [other.key, other.key + sidecar.SUFFIX]
    async with opened(store, tmp_path / "other") as elsewhere:
        assert await found(elsewhere) == [other.prompt]


async def test_children_lead_back_to_their_parent(store, tmp_path):
    parent = generation()
    children = [generation(NOW - HOUR, number, parent_id=parent.id) for number in (1, 2)]
    await put(store, parent, *children)
    async with opened(store, tmp_path / "index") as gallery:
        assert {child.id for child in await gallery.children(parent.id)} == {child.id for child in children}
        assert await gallery.children(children[0].id) == []


async def test_a_caller_sees_only_its_own_and_what_is_shared(store, tmp_path):
    hers, his = generation(NOW - HOUR, 1, owner="ana"), generation(NOW - HOUR, 2, owner="ben")
    nobodys = generation(NOW - 2 * HOUR, 3)
    await put(store, hers, his, nobodys)
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery, visible_to="ana") == [hers.prompt]
        assert await gallery.find(hers.id, visible_to="ana") == hers
        for hidden in (his, nobodys):
            with pytest.raises(UnknownName) as raised:
                await gallery.find(hidden.id, visible_to="ana")
            assert hidden.id not in raised.value.known
            with pytest.raises(UnknownName):
                await gallery.find(hidden.id[:20], visible_to="ana")
            with pytest.raises(UnknownName):
                await gallery.delete(hidden.id, visible_to="ana")
        assert len(await found(gallery)) == 3

        assert (await gallery.share(his.id, shared=True, by="ben", visible_to="ben")).shared
        assert await gallery.find(his.id, visible_to="ana") == his
        for change in (
            gallery.delete,
            gallery.tag,
            lambda wanted, **who: gallery.share(wanted, shared=False, **who),
        ):
            with pytest.raises(BadRequest, match="belongs to somebody else"):
                await change(his.id, visible_to="ana")
        assert not (await gallery.share(his.id, shared=False)).shared
        assert await found(gallery, visible_to="ana") == [hers.prompt]


async def test_a_search_answers_from_the_index_while_the_store_is_away(tmp_path):
    store = WatchedStore(MemoryStore())
    one = generation()
    await put(store, one)
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == [one.prompt]
    async with opened(store, tmp_path / "index") as gallery:
        store.before = away

        assert await found(gallery) == [one.prompt]
        with pytest.raises(StoreFailed, match="nobody answers"):
            await gallery.find(one.id)
        lists = len(store.of("list"))
        await found(gallery)
        assert len(store.of("list")) == lists, "a store that is away is not asked again at once"


async def test_concurrent_searches_share_one_reading_of_the_store(tmp_path):
    store = WatchedStore(MemoryStore())
    await put(store, *many(5))
    async with opened(store, tmp_path / "index") as gallery:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(found, gallery)
        assert len(store.of("list", "g/")) == 1
        assert len(store.of("read", "g/")) == 5


async def test_without_an_index_a_beginning_of_several_names_them_too(tmp_path):
    store = MemoryStore()
    pair = [generation(NOW - HOUR, number) for number in (1, 2)]
    await put(store, *pair)
    (tmp_path / "index").write_text("a file where a folder should be")
    async with opened(store, tmp_path / "index") as gallery:
        with pytest.raises(BadRequest, match="Several generations") as raised:
            await gallery.find(pair[0].id[:8])
        assert all(one.id in str(raised.value) for one in pair)
        with pytest.raises(UnknownName, match="no generation at all"):
            await gallery.find(generation(NOW - DAY).id)


async def test_a_file_that_was_stored_without_a_sidecar_is_told_by_its_key(tmp_path):
    store, one = MemoryStore(), generation()
    await store.put_bytes(one.key, b"bare", mime="image/png")
    async with opened(store, tmp_path / "index") as gallery:
        for wanted in (one.id, one.id[:12]):
            with pytest.raises(BadRequest, match=one.key):
                await gallery.find(wanted)
