"""What every index can do, whatever holds it: entries in, pages of entries out."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from pydantic import Field

from comfygen_mcp.edits import Edit
from comfygen_mcp.models import SEED_MAX, Kind, MediaType, Record

MAX_PAGE = 200
"""Entries of one page at most."""
COUNTED = 10_000
"""Matches are counted up to here; what is more is "more than 10,000"."""
MAX_TEXT = 2_000
"""Characters of a query's text; more than that is refused by name."""

Facet: TypeAlias = Literal["model", "backend", "workflow", "lora", "preset", "kind", "media", "tag", "style"]
"""What entries are grouped and filtered by, exactly."""
Sort: TypeAlias = Literal["newest", "relevance"]


class Entry(Record):
    """What the index holds of one generation: enough for a compact row, a filter and a way to the file.

    *model* is the model file, *backend* the name that it was asked for by. *loras* are file names.
    *owner* is the token's name that it was made with; *shared* ones are everybody's.
    """

    id: str
    key: str
    created_at: datetime
    prompt: str
    negative_prompt: str
    kind: Kind
    media: MediaType
    mime: str
    model: str
    backend: str
    workflow: str
    preset: str | None
    style: str | None
    loras: tuple[str, ...]
    seed: int = Field(ge=0, le=SEED_MAX)
    steps: int | None
    cfg: float | None
    sampler: str | None
    scheduler: str | None
    width: int | None
    height: int | None
    size_bytes: int
    sha256: str
    job_id: str
    group_id: str | None
    parent_id: str | None
    owner: str | None
    preview_engine: bool
    latency_ms: int
    score: float | None
    tags: tuple[str, ...]
    shared: bool = False


class Query(Record):
    """What is looked for; every field that is given must hold. Names match exactly, case aside.

    *text* is words, `"phrases"`, `beginnings*` and `-excluded` words of prompt, negative prompt and tags;
    *contains* any piece of the prompt. *since* is inclusive, *until* exclusive.
    *visible_to* names the caller: None sees all, a name its own entries and the shared ones.
    """

    text: str = Field(default="", max_length=MAX_TEXT)
    contains: str | None = Field(default=None, max_length=MAX_TEXT)
    model: str | None = None
    backend: str | None = None
    workflow: str | None = None
    lora: str | None = None
    preset: str | None = None
    style: str | None = None
    kind: Kind | None = None
    media: MediaType | None = None
    tags: tuple[str, ...] = ()
    seed: int | None = Field(default=None, ge=0, le=SEED_MAX)
    seed_min: int | None = Field(default=None, ge=0, le=SEED_MAX)
    seed_max: int | None = Field(default=None, ge=0, le=SEED_MAX)
    score_min: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    job_id: str | None = None
    group_id: str | None = None
    parent_id: str | None = None
    visible_to: str | None = None
    sort: Sort = "newest"


class Page(Record):
    """Entries in the query's order. *cursor* leads to the next page, None at the end.

    *total* counts all matches, up to COUNTED (then *more* is true); None where nobody asked.
    """

    entries: tuple[Entry, ...]
    cursor: str | None = None
    total: int | None = None
    more: bool = False


class Count(Record):
    """How many entries have one value of a facet."""

    value: str
    entries: int


class Reading(Record):
    """How far this index has read a store: the last keys seen, and what could not be used.

    *skipped* counts objects that are no sidecars of ours; the newest of their keys are in *skipped_keys*.
    """

    generations_until: str = ""
    edits_until: str = ""
    complete: bool = False
    skipped: int = 0
    skipped_keys: tuple[str, ...] = ()


class Index(Protocol):
    """Entries of one store, found by id, by text and by what they were made with.

    Every method raises IndexFailed when the medium fails. Several processes may use one index at once.
    """

    @property
    def name(self) -> str:
        """A short text for people: what and where (no secrets)."""
        ...

    async def add(self, entries: Sequence[Entry]) -> None:
        """Add entries, or replace those of the same id; edits that came before their entry are kept."""
        ...

    async def edit(self, edits: Sequence[Edit]) -> None:
        """Fold *edits* in, in any order, any number of times; a deleted generation is found no more."""
        ...

    async def get(self, generation_id: str) -> Entry | None: ...

    async def beginning_with(self, beginning: str, *, limit: int, visible_to: str | None = None) -> list[str]:
        """Return the newest ids that begin so (dashes do not count)."""
        ...

    async def search(
        self, query: Query, *, limit: int, cursor: str | None = None, count: bool = False
    ) -> Page:
        """Return one page; raises BadRequest for a text or a cursor that cannot be used here."""
        ...

    async def counts(
        self, facet: Facet, *, beginning: str = "", limit: int = 100, visible_to: str | None = None
    ) -> list[Count]:
        """Return the values of *facet* that begin so, the most frequent first."""
        ...

    async def size(self) -> int:
        """Return how many entries there are."""
        ...

    def all_entries(self, query: Query) -> AsyncIterator[Entry]:
        """Yield every match of *query*, newest first, in memory-bounded steps."""
        ...

    async def reading(self) -> Reading: ...

    async def set_reading(self, reading: Reading) -> None: ...

    async def clear(self) -> None:
        """Forget everything, to be built again."""
        ...

    async def aclose(self) -> None: ...
