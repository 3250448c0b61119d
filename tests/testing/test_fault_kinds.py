"""Faults by themselves: what a store under one still does."""

from __future__ import annotations

import pytest

from solidstate.infra.time_limits import Killed
from solidstate.storage.memory import MemoryStore
from solidstate.testing import InjectedFailure
from solidstate.testing.fault_kinds import Broken
from solidstate.testing.invocations import Invocation

STEP = Invocation({}, "orders", "r-1", "total")


def test_nothing_of_the_killed_reaches_the_store() -> None:
    """Neither what it was about to write nor what it writes or reads later; the next attempt is well."""
    store, fault = MemoryStore(), Broken("total", None, 1, "before commit", Killed, killed=True)
    dying = fault.store_of(STEP, store)
    dying.put("early", b"1")
    with pytest.raises(Killed):
        dying.put(STEP.commit_key, b"2", if_absent=True)
    with pytest.raises(Killed):
        dying.put("late", b"3")
    with pytest.raises(Killed):
        dying.get("early")
    assert [info.key for info in store.list("")] == ["early"]
    assert fault.store_of(STEP, store).put(STEP.commit_key, b"4", if_absent=True)
    assert fault.count == 1


def test_who_has_failed_goes_on() -> None:
    """It has its events to write, and may look for another's commit."""
    store, fault = MemoryStore(), Broken("total", None, 1, "before commit", InjectedFailure, killed=False)
    failing = fault.store_of(STEP, store)
    with pytest.raises(InjectedFailure):
        failing.put(STEP.commit_key, b"1", if_absent=True)
    assert failing.put("events", b"2")
    assert not failing.exists(STEP.commit_key)


def test_others_have_the_store_itself() -> None:
    """Another step, another item, and what is between steps."""
    store, fault = MemoryStore(), Broken("total", "a", 1, "after commit", Killed, killed=True)
    for other in (
        Invocation({}, "orders", "r-1", "load", "a"),
        Invocation({}, "orders", "r-1", "total", "b"),
        Invocation({}, "orders", "r-1"),
    ):
        assert fault.store_of(other, store) is store
