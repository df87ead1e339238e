"""What an index should answer, found by looking at every entry: slow, and short enough to be believed."""

import re
from collections import Counter

from comfygen_mcp.edits import Edited, folded


class NaiveIndex:
    """Entries and edits in memory; texts are of ASCII letters only."""

    def __init__(self):
        self._entries = {}
        self._edited = {}

    def add(self, entries):
        self._entries.update({entry.id: entry for entry in entries})

    def edit(self, edits):
        for edit in edits:
            before = self._edited.get(edit.generation_id, Edited())
            self._edited[edit.generation_id] = folded(before, [edit])

    def all(self):
        """Return what is there today, the newest first."""
        today = [self._today(entry) for entry in self._entries.values()]
        return sorted((e for e in today if e is not None), key=lambda e: e.created_at, reverse=True)

    def search(self, query):
        return [entry for entry in self.all() if _holds(query, entry)]

    def counts(self, facet, visible_to):
        counted = Counter(
            value
            for entry in self.all()
            if _visible(entry, visible_to)
            for value in {value.casefold() for value in _values(entry, facet)}
        )
        return dict(counted)

    def _today(self, entry):
        edited = self._edited.get(entry.id, Edited())
        names = {"tags": "tags", "validation_score": "score", "shared": "shared"}
        changes = {names[name]: getattr(edited, name) for name in edited.changed_by if name in names}
        return None if edited.deleted else entry.model_copy(update=changes)


def _holds(query, entry):
    return all(
        (
            _text_holds(query.text, entry),
            query.contains is None or query.contains.lower() in entry.prompt.lower(),
            *(
                wanted is None or wanted.casefold() in [v.casefold() for v in _values(entry, facet)]
                for facet in ("model", "backend", "workflow", "lora", "preset", "style", "kind", "media")
                for wanted in [getattr(query, facet)]
            ),
            all(tag.casefold() in [t.casefold() for t in entry.tags] for tag in query.tags),
            *(
                wanted is None or wanted == getattr(entry, name)
                for name in ("seed", "job_id", "group_id", "parent_id")
                for wanted in [getattr(query, name)]
            ),
            query.seed_min is None or entry.seed >= query.seed_min,
            query.seed_max is None or entry.seed <= query.seed_max,
            query.score_min is None or (entry.score is not None and entry.score >= query.score_min),
            query.since is None or entry.created_at >= query.since,
            query.until is None or entry.created_at < query.until,
            _visible(entry, query.visible_to),
        )
    )


def _values(entry, facet):
    match facet:
        case "lora":
            return entry.loras
        case "tag":
            return entry.tags
        case _:
            value = getattr(entry, facet)
            return () if value is None else (value,)


def _visible(entry, caller):
    return caller is None or entry.shared or entry.owner == caller


def _text_holds(text, entry):
    fields = [f" {' '.join(_words(field))} " for field in (entry.prompt, entry.negative_prompt, *entry.tags)]
    for minus, phrase, word, star in re.findall(r'(-?)(?:"([a-z ]*)"|([a-z]+))(\*?)', text):
        begins = f" {' '.join(_words(phrase or word))}" + ("" if star else " ")
        if any(begins in field for field in fields) == bool(minus):
            return False
    return True


def _words(text):
    return re.findall("[a-z]+", text.lower())
