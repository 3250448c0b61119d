"""Every S3 key solidstate uses, spelled once.

Depth is fixed and the pipeline and step stand before the run, so that IAM policies can be cut by prefix: no part ever
holds a slash. What a stranger can choose (run ids, attempt ids) is checked here and nowhere else.

    v1/runs/<pipeline>/<run>/run.json                    who started what, when; written once
    v1/runs/<pipeline>/<run>/summary.json                how it ended
    v1/runs/<pipeline>/<run>/events.ndjson               all events, merged when it ended
    v1/plans/<pipeline>/<plan hash>.json                 the plan the run followed
    v1/commits/<pipeline>/<step>/<run>.ndjson            a step's result; created once, never overwritten
    v1/attempts/<pipeline>/<step>/<run>/<attempt>.ndjson events of an attempt that did not commit
    v1/attempts/<pipeline>/<step>/<run>/<attempt>@<number>.ndjson  some of the events of one that runs, or was killed
    v1/data/<pipeline>/<step>/<run>/<attempt>/<output>   outputs too large for the commit
    v1/ended/<pipeline>/<step>/<run>.json                that a step ended without a commit, for those that wait for it
    v1/parked/<pipeline>/<step>/<run>/<number>.json      the task token of a step that waits; created once

A step that is mapped over the items of a dynamic output has all of these once for each item: ``<run>@<item>`` stands in
the place of ``<run>``, and ``<output>@<item>`` for the items themselves. Run ids never hold an ``@``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

from solidstate.errors import StorageError

ROOT = "v1"
KINDS = ("runs", "plans", "commits", "data", "attempts", "ended", "parked")
EXPIRING = ("data", "attempts", "ended", "parked")
"""What a run needs while it lasts, and for as long as it may be taken up again."""
OF_STEPS = (*EXPIRING, "commits")
"""The kinds that have a step in their keys; results last, where they are removed in this order."""
_ITEMS = "items"
_NAMED = {"commits": ".ndjson", "ended": ".json"}
"""The kinds that have one object for a run, or an item, and how its name ends; others have a folder."""
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,254}")
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


def run_id_from(name: str) -> str:
    """A run id from an execution name. Names of ordinary characters are kept; anything else legal for Step Functions
    (which allows ``..`` and all of Unicode) is hashed."""
    return name if _RUN.fullmatch(name) else "x-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:24]


def run_record(pipeline: str, run: str) -> str:
    return _key("runs", pipeline, run, "run.json")


def run_summary(pipeline: str, run: str) -> str:
    return _key("runs", pipeline, run, "summary.json")


def run_events(pipeline: str, run: str) -> str:
    return _key("runs", pipeline, run, "events.ndjson")


def run_prefix(pipeline: str, run: str) -> str:
    """Of all that is recorded of a run as a whole."""
    return _key("runs", pipeline, run) + "/"


def runs_prefix(pipeline: str | None = None) -> str:
    return f"{ROOT}/runs/" if pipeline is None else _key("runs", pipeline) + "/"


def plan(pipeline: str, plan_hash: str) -> str:
    return _key("plans", pipeline, f"{plan_hash}.json")


@lru_cache(maxsize=8192)  # its step, those downstream and End run ask for the same one
def commit(pipeline: str, step: str, run: str, item: str = "") -> str:
    name = f"{run}@{item}.ndjson" if item else f"{run}.ndjson"
    if _valid(pipeline) and _valid(step) and _valid(name):  # as `_key` does it, without a loop
        return f"{ROOT}/commits/{pipeline}/{step}/{name}"
    return _key("commits", pipeline, step, name)


def commits_prefix(pipeline: str, step: str, run: str) -> str:
    """Of the commits of all items of a mapped step."""
    return _key("commits", pipeline, step, f"{run}@")


def attempt(pipeline: str, step: str, run: str, attempt_id: str, item: str = "") -> str:
    return _key("attempts", pipeline, step, _of(run, item), f"{attempt_id}.ndjson")


def attempt_part(pipeline: str, step: str, run: str, attempt_id: str, number: int, item: str = "") -> str:
    """``number`` counts the parts of an attempt's events from one."""
    return _key("attempts", pipeline, step, _of(run, item), f"{attempt_id}@{number:06d}.ndjson")


def attempts_prefix(pipeline: str, step: str, run: str, item: str = "") -> str:
    return _key("attempts", pipeline, step, _of(run, item)) + "/"


def all_attempts_prefix(pipeline: str, step: str, run: str) -> str:
    """Of the attempts of all items of a mapped step."""
    return _key("attempts", pipeline, step, f"{run}@")


def data(
    pipeline: str, step: str, run: str, attempt_id: str, output: str, *, item: str = "", output_item: str = ""
) -> str:
    return _key("data", pipeline, step, _of(run, item), attempt_id, _of(output, output_item))


def data_prefix(pipeline: str, step: str, run: str) -> str:
    return _key("data", pipeline, step, run) + "/"


def mapped_data_prefix(pipeline: str, step: str, run: str) -> str:
    """Of the data of all items of a mapped step."""
    return _key("data", pipeline, step, f"{run}@")


def item_list(pipeline: str, step: str, run: str, output: str) -> str:
    """Where the keys of a dynamic output's items stand, for a distributed Map to read, which knows itself by its first
    ``step``: of two Maps over one output one may have none to run, because its steps are not selected."""
    return _key("data", pipeline, step, run, _ITEMS, f"{output}.json")


def ended(pipeline: str, step: str, run: str, item: str = "") -> str:
    return _key("ended", pipeline, step, f"{_of(run, item)}.json")


def parked(pipeline: str, step: str, run: str, number: int, item: str = "") -> str:
    """``number`` counts the times that the step has parked in the run."""
    return _key("parked", pipeline, step, _of(run, item), f"{number:03d}.json")


def pipeline_patterns(pipeline: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """What the keys of these kinds (``commits``) match that belong to a pipeline, for IAM policies."""
    return tuple(_key(kind, pipeline) + "/*" for kind in kinds)


def step_patterns(pipeline: str, step: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """The same for one step."""
    return tuple(_key(kind, pipeline, step) + "/*" for kind in kinds)


def item_list_pattern(pipeline: str) -> str:
    """What the keys match that a distributed Map reads."""
    return _key("data", pipeline) + f"/*/{_ITEMS}/*.json"


def of_run(kind: str, pipeline: str, step: str, run: str) -> tuple[str, ...]:
    """What the keys of a kind begin with that a step, and the items of a mapped one, have in a run. Some of another run
    may begin so, too, where its id does: :func:`run_of` tells."""
    return _key(kind, pipeline, step, run) + _NAMED.get(kind, "/"), _key(kind, pipeline, step, f"{run}@")


def run_of(key: str) -> str:
    """The run in a key that has a step, too."""
    _, kind, _, _, name = key.split("/")[:5]
    return name.removesuffix(_NAMED.get(kind, "")).partition("@")[0]


def item_of_data(key: str) -> str:
    """The item in the key of a mapped step's data; empty in other keys."""
    return key.split("/")[4].partition("@")[2]


def attempt_of_data(key: str) -> str | None:
    """The attempt id in the key of data; None in that of a list of items, which is no attempt's."""
    attempt = key.split("/")[5]
    return None if attempt == _ITEMS else attempt


def item_in(key: str) -> str | None:
    """The item in the key of a mapped step's commit or attempt; None in other keys."""
    parts = key.split("/")
    item = parts[4].removesuffix(".ndjson").partition("@")[2] if len(parts) > 4 else ""
    return item or None


def run_in(key: str) -> str:
    """The run in the key of a step's data, commit or attempt; empty in other keys."""
    parts = key.split("/")
    return parts[4].removesuffix(".ndjson").partition("@")[0] if len(parts) > 4 else ""


def attempt_in(key: str) -> tuple[str, int]:
    """The attempt id in the key of an attempt's events, and the number of the part; 0 for all of them."""
    attempt, _, number = key.rpartition("/")[2].removesuffix(".ndjson").partition("@")
    return attempt, int(number) if number.isascii() and number.isdigit() else 0


def _of(name: str, item: str) -> str:
    return f"{name}@{item}" if item else name


def attempt_id(number: int, request: str) -> str:
    """Sorts by attempt number; the request id keeps duplicates of one attempt apart."""
    return f"{number:03d}-{request}"


def parse_run_record(key: str) -> tuple[str, str] | None:
    """(pipeline, run) of a run record's key, None for any other key."""
    parts = key.split("/")
    if len(parts) == 5 and parts[:2] == [ROOT, "runs"] and parts[4] == "run.json":
        # Whoever may write the bucket chooses keys as they like; of others than ours no further key could be built.
        return (parts[2], parts[3]) if _valid(parts[2]) and _RUN.fullmatch(parts[3]) else None
    return None


@lru_cache(maxsize=8192)
def _valid(part: str) -> bool:
    return _PART.fullmatch(part) is not None


def _key(*parts: str) -> str:
    for part in parts:
        if not _valid(part):
            raise StorageError(
                f"{part!r:.80} cannot be part of a key.",
                subject=part[:80],
                hint="names start with a letter, digit or underscore, then letters, digits, `_`, `.` or `-`",
            )
    return "/".join((ROOT, *parts))
