"""Names of states: legal, unique, given in a fixed order."""

from __future__ import annotations

from solidstate.planner.names import NamePool


def test_a_repeated_name_gets_the_next_free_number() -> None:
    """Also when a number was asked for by name before."""
    pool = NamePool()
    asked = ["a", "a (3)", "a", "a", "a", "a (3)"]
    assert [pool.take(name) for name in asked] == ["a", "a (3)", "a (2)", "a (4)", "a (5)", "a (3) (2)"]


def test_a_long_name_keeps_its_length() -> None:
    """Its end becomes a hash, and a number takes the place of the end of that."""
    pool = NamePool()
    first, second = pool.take("x" * 100), pool.take("x" * 100)
    assert (len(first), len(second), second[-4:]) == (80, 80, " (2)")
