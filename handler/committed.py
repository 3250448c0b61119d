"""Reading results: the commit of a step, or of one item of a mapped step, from whichever run it is in."""

from __future__ import annotations

from solidstate.errors import IntermediateError, MissingObject
from solidstate.storage import keys
from solidstate.storage.commits import Commit, decode_commit
from solidstate.storage.store import ObjectStore


def label(step: str, item: str = "") -> str:
    """A step, or one item of a mapped step, as people call it."""
    return f"{step}[{item}]" if item else step


def base(name: str) -> str:
    """The step of a label."""
    return name.partition("[")[0]


def read_commit(store: ObjectStore, pipeline: str, step: str, run: str, item: str = "") -> Commit | None:
    """One commit, None when there is none. Raises IntermediateError when it is not what its key says."""
    key = keys.commit(pipeline, step, run, item)
    try:
        body = store.get(key)
    except MissingObject:
        return None
    return own_commit(decode_commit(body, key), key, step, run, item)


def own_commit(commit: Commit, key: str, step: str, run: str, item: str = "") -> Commit:
    """The commit itself, when it is what its key says; raises IntermediateError otherwise."""
    if (commit.step, commit.run, commit.item) != (step, run, item):
        raise IntermediateError(
            f"The object `{key}` holds the commit of step `{label(commit.step, commit.item)}` of run `{commit.run}`, "
            f"expected `{label(step, item)}` of `{run}`.",
            subject=step,
            path=key,
            hint="it was copied there, or the file system does not tell upper from lower case; rename the step",
        )
    return commit
