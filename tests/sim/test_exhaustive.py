"""One step, with a crash at each of its operations, and twice, and two duplicates in every order: on real clients.

In memory, through boto3, which moto answers in this process, and through obstore, which it answers over a socket.
"""

from __future__ import annotations

import pytest

from solidstate.storage.memory import MemoryStore
from solidstate.storage.s3 import S3Store
from solidstate.storage.s3_obstore import ObstoreS3Store
from solidstate.storage.store import ObjectStore
from tests.sim.by_hand import crashes, interleavings, pair_case
from tests.sim.faults import CRASH_AFTER, CRASH_BEFORE
from tests.sim.mistakes import fixed_output_key, plain_overwrite, planted

EACH = (CRASH_BEFORE, CRASH_AFTER)
ORDERS = 125
"""Of two duplicates, of an attempt and its successor, of two successors."""


def wrong_in_orders(objects: ObjectStore) -> tuple[int, list[str]]:
    """How many orders there are, and what was wrong in any."""
    found: list[tuple[str, list[str]]] = []
    for retries in ((0, 0), (0, 1), (1, 1)):
        some = list(interleavings(pair_case(), objects, "r{}-{}".format(*retries), retries))
        assert len({order for order, _ in some}) == len(some)
        found += some
    return len(found), [f"{order}: {problem}" for order, problems in found for problem in problems]


def wrong_after_crashes(objects: ObjectStore, *, double: bool) -> tuple[int, list[str]]:
    """How many moments there are, and what was wrong after any."""
    found = list(crashes(pair_case(), objects, "d" if double else "c", EACH, double=double))
    return len(found), [f"{moment}: {problem}" for moment, problems in found for problem in problems]


def test_every_order_of_two_duplicates() -> None:
    """In memory: one result, and both answer with it."""
    count, wrong = wrong_in_orders(MemoryStore())
    assert (count, wrong) == (ORDERS, [])


def test_every_crash() -> None:
    """In memory: the attempt after one crash, or after two, comes to the one result."""
    single, wrong = wrong_after_crashes(MemoryStore(), double=False)
    assert (single, wrong) == (6, [])
    double, wrong = wrong_after_crashes(MemoryStore(), double=True)
    assert wrong == []
    assert double > 20


@pytest.mark.slow
def test_every_order_through_boto3(shortcut_store: S3Store) -> None:
    """The same through S3's own conditional PUT."""
    count, wrong = wrong_in_orders(shortcut_store)
    assert (count, wrong) == (ORDERS, [])


@pytest.mark.slow
@pytest.mark.parametrize("double", [False, True])
def test_every_crash_through_boto3(shortcut_store: S3Store, *, double: bool) -> None:
    """The same, after one and after two crashes."""
    assert wrong_after_crashes(shortcut_store, double=double)[1] == []


@pytest.mark.slow
def test_every_order_through_obstore(obstore_store: ObstoreS3Store) -> None:
    """The same through the second client, over a socket."""
    assert wrong_in_orders(obstore_store) == (ORDERS, [])


@pytest.mark.slow
@pytest.mark.parametrize("double", [False, True])
def test_every_crash_through_obstore(obstore_store: ObstoreS3Store, *, double: bool) -> None:
    """The same, after one and after two crashes."""
    assert wrong_after_crashes(obstore_store, double=double)[1] == []


def test_orders_find_mistakes() -> None:
    """An overwritten commit and an output key that attempts share are found, in most orders."""
    for mistake in (plain_overwrite, fixed_output_key):
        with planted(mistake):
            assert len(wrong_in_orders(MemoryStore())[1]) > 10
