"""Commits that are none, or not the ones that their keys say: each has an error of its own, and the run ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from solidstate.handler.committed import read_commit, read_header, read_item
from solidstate.planner.contract import ItemEntry
from solidstate.planner.plan import OutputRef
from solidstate.storage.commits import item_lines
from tests.handler.spoiled_bench import WROTE, Shop, shop

if TYPE_CHECKING:
    from tests.handler.conftest import Bench


@pytest.fixture
def stored(bench: type[Bench]) -> Shop:
    """The run."""
    return Shop(bench(shop))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "JSON is malformed: invalid character (byte 0)"),
        (b"", "Input data was truncated"),
        (b'{"kind":"commit","run":"run-1"', "Input data was truncated"),
        (b"{}", "Object missing required field `run`"),
    ],
    ids=["other", "empty", "truncated", "fields"],
)
def test_what_is_no_commit(stored: Shop, body: bytes, reason: str) -> None:
    """Anything may have written to the bucket."""
    stored.store.put(stored.key("make"), body)
    assert stored.refused() == (
        "UnreadableCommit",
        f"The object `{stored.key('make')}` is not a commit: {reason}.",
        WROTE,
    )


@pytest.mark.parametrize(("kept", "events"), [(1, False), (0, False), (0, True)], ids=["one", "none", "events alone"])
def test_a_commit_that_lost_items(stored: Shop, kept: int, events: bool) -> None:
    """Whole lines are gone: a list that is shorter than it was would be a wrong value, and nobody would see it."""
    key = stored.key("spread")
    header, *lines = stored.store.get(key).splitlines(keepends=True)
    items = lines[:2]
    stored.store.put(key, b"".join([header, *items[:kept], *(lines[2:] if events else [])]))
    assert stored.refused("gather") == (
        "TruncatedIntermediate",
        f"The commit `{key}` is cut short: it has {kept} of 2 items.",
        WROTE,
    )


@pytest.mark.parametrize(
    ("facts", "whose", "expected"),
    [
        ({"run": "run-2"}, "step `make` of run `run-2`", "`make` of `run-1`"),
        ({"step": "Make"}, "step `Make` of run `run-1`", "`make` of `run-1`"),
        ({"item": "a"}, "step `make[a]` of run `run-1`", "`make` of `run-1`"),
        ({"pipeline": "sop"}, "step `make` of run `run-1` of `sop`", "`make` of `run-1` of `shop`"),
        ({"pipeline": "hop"}, "step `make` of run `run-1` of `hop`", "`make` of `run-1` of `shop`"),
    ],
    ids=["run", "step", "item", "pipeline", "other pipeline"],
)
def test_a_commit_of_another(stored: Shop, facts: dict[str, str], whose: str, expected: str) -> None:
    """Copied there, or a file system that takes `Make` and `make` for one."""
    stored.recommit("make", **facts)
    assert stored.refused() == (
        "ForeignCommit",
        f"The object `{stored.key('make')}` holds the commit of {whose}, expected {expected}.",
        "it was copied there, or the file system does not tell upper from lower case; rename the step",
    )


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (
            lambda stored: stored.store.put(stored.key("make"), b"<html>"),
            "UnreadableCommit",
            "The object `v1/commits/shop/make/run-1.ndjson` is not a commit: JSON is malformed: invalid character "
            "(byte 0).",
        ),
        (
            lambda stored: stored.recommit("make", run="run-2"),
            "ForeignCommit",
            "The object `v1/commits/shop/make/run-1.ndjson` holds the commit of step `make` of run `run-2` of `shop`.",
        ),
        (
            lambda stored: stored.store.put(
                stored.key("make"), stored.store.get(stored.key("make")).removesuffix(b"}\n")
            ),
            "UnreadableCommit",
            "The events in `v1/commits/shop/make/run-1.ndjson` cannot be read: Input data was truncated.",
        ),
    ],
    ids=["unreadable", "foreign", "events"],
)
def test_a_run_with_such_a_commit_ends(stored: Shop, spoil: Callable[[Shop], None], error: str, message: str) -> None:
    """As failed, with that error at the step whose result it is, and nothing else is lost."""
    stored.measure_all()
    stored.run.step("take")
    stored.run.step("gather")
    spoil(stored)
    summary = stored.run.close()
    steps = {step.step: step for step in summary.steps}
    assert summary.status == "failed"
    assert {step for step in steps if steps[step].status == "failed"} == {"make"}
    found = steps["make"].error
    assert found is not None
    assert (found.type, found.message) == (error, message)


def test_what_is_gone_is_none(stored: Shop) -> None:
    """The whole commit, its header, and one of its items: whoever reads them says what that means to him."""
    body = stored.store.get(stored.key("spread"))
    begin, (line, *_) = item_lines(body)
    rows, entry = OutputRef("spread", "rows"), ItemEntry(*line, begin)

    def read() -> tuple[bool, bool, bool]:
        return (
            read_commit(stored.store, "shop", "spread", "run-1") is None,
            read_header(stored.store, "shop", "spread", "run-1", begin) is None,
            read_item(stored.store, "shop", rows, "run-1", "small", entry) is None,
        )

    assert read() == (False, False, False)
    stored.store.delete(stored.key("spread"))
    assert read() == (True, True, True)


def test_only_what_is_skipped_is_so_for_all_items(stored: Shop) -> None:
    """The commit of one item that was run says nothing of the others."""
    stored.measure("small")
    commit = read_commit(stored.store, "shop", "measure", "run-1", "small")
    assert commit is not None
    assert (commit.status, commit.item, commit.for_all_items) == ("success", "small", False)
