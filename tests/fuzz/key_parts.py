"""Target: every function that builds a key, from any parts: refused, or a key of its kind that leads nowhere else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from solidstate.errors import StorageError
from solidstate.storage import keys
from solidstate.storage.folder import FolderStore
from solidstate.storage.store import check_key, check_prefix
from tests.fuzz.draws import Draws

_WORDS = ("p", "s", "outer.s", "r1", "r1@k", "001-q", "result", "a.b", "a@b")
OBJECTS: tuple[tuple[Callable[..., str], int, str, int], ...] = (
    (keys.run_record, 2, "runs", 5),
    (keys.run_summary, 2, "runs", 5),
    (keys.run_events, 2, "runs", 5),
    (keys.plan, 2, "plans", 4),
    (keys.commit, 4, "commits", 5),
    (keys.attempt, 5, "attempts", 6),
    (keys.data, 5, "data", 7),
    (keys.item_list, 4, "data", 7),
    (keys.ended, 4, "ended", 5),
)
"""The function, how many parts it takes, the kind, and how many parts its keys have."""
PREFIXES: tuple[tuple[Callable[..., str], int], ...] = (
    (keys.runs_prefix, 1),
    (keys.commits_prefix, 3),
    (keys.attempts_prefix, 4),
    (keys.all_attempts_prefix, 3),
    (keys.data_prefix, 3),
    (keys.mapped_data_prefix, 3),
)
_ROOT = Path(os.sep) / "nowhere" / "store"


def check(data: bytes) -> None:
    draws = Draws(data)
    make, count, kind, depth = draws.pick(OBJECTS)
    parts = [draws.text(_WORDS) for _ in range(count)]
    more: dict[str, Any] = {}
    if make is keys.data and draws.number(2):
        more = {"item": draws.text(_WORDS), "output_item": draws.text(_WORDS)}
    try:
        key = make(*parts, **more)
    except StorageError:
        key = ""
    if key:
        assert check_key(key).split("/")[:2] == [keys.ROOT, kind]
        assert key.count("/") == depth - 1
        assert key.isascii()
        assert key.isprintable()
        place = FolderStore(_ROOT)._path(key)
        assert os.path.normpath(place) == str(place)
        assert place.is_relative_to(_ROOT)
    prefix, count = draws.pick(PREFIXES)
    try:
        check_prefix(prefix(*[draws.text(_WORDS) for _ in range(count)]))
    except StorageError:
        pass
    name = draws.text(_WORDS)
    assert keys.parse_run_record(keys.run_record("p", keys.run_id_from(name))) == ("p", keys.run_id_from(name))
    _foreign(draws.text(_WORDS), draws.text(_WORDS))


def _foreign(pipeline: str, run: str) -> None:
    """A key that somebody else made: what is taken for a run record has parts that can be used."""
    found = keys.parse_run_record(f"{keys.ROOT}/runs/{pipeline}/{run}/run.json")
    if found is not None:
        assert found == (pipeline, run)
        keys.run_summary(*found)
