"""Reading results: the commit of a step, or of one item of a mapped step, from whichever run it is in."""

from __future__ import annotations

from solidstate.errors import ForeignCommit, MissingObject
from solidstate.planner.contract import ItemEntry
from solidstate.planner.plan import OutputRef
from solidstate.storage import keys
from solidstate.storage.commits import Commit, CommittedOutput, decode_commit, decode_item
from solidstate.storage.store import ObjectStore


def label(step: str, item: str = "") -> str:
    """A step, or one item of a mapped step, as people call it."""
    return f"{step}[{item}]" if item else step


def base(name: str) -> str:
    """The step of a label."""
    return name.partition("[")[0]


def item_of(name: str) -> str:
    """The item of a label; empty when it is of a step."""
    return name[len(base(name)) + 1 : -1]


def read_commit(store: ObjectStore, pipeline: str, step: str, run: str, item: str = "") -> Commit | None:
    """One commit, None when there is none. Raises IntermediateError when it is not what its key says."""
    key = keys.commit(pipeline, step, run, item)
    try:
        body = store.get(key)
    except MissingObject:
        return None
    return own_commit(decode_commit(body, key), key, pipeline, step, run, item)


def read_header(store: ObjectStore, pipeline: str, step: str, run: str, size: int) -> Commit | None:
    """A commit without the items of its dynamic outputs; ``size`` is that of its header."""
    key = keys.commit(pipeline, step, run)
    try:
        header = store.get_part(key, 0, size)
    except MissingObject:
        return None
    return own_commit(decode_commit(header, key, header=True), key, pipeline, step, run)


def read_item(
    store: ObjectStore, pipeline: str, over: OutputRef, run: str, item: str, entry: ItemEntry
) -> CommittedOutput | None:
    """One item of a dynamic output, read by itself; None when its producer has no commit any more."""
    key = keys.commit(pipeline, over.step, run)
    try:
        line = store.get_part(key, entry.at, entry.size)
    except MissingObject:
        return None
    return decode_item(line, key, over.output, item)


def own_commit(commit: Commit, key: str, pipeline: str, step: str, run: str, item: str = "") -> Commit:
    """The commit itself, when it is what its key says; raises ForeignCommit otherwise."""
    if (commit.step, commit.run, commit.item, commit.pipeline) != (step, run, item, pipeline):
        theirs, ours = ("", "") if commit.pipeline == pipeline else (f" of `{commit.pipeline}`", f" of `{pipeline}`")
        raise ForeignCommit(
            f"The object `{key}` holds the commit of step `{label(commit.step, commit.item)}` of run `{commit.run}`"
            f"{theirs}, expected `{label(step, item)}` of `{run}`{ours}.",
            subject=step,
            path=key,
            hint="it was copied there, or the file system does not tell upper from lower case; rename the step",
        )
    return commit
