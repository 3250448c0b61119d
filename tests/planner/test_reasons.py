"""Rendezvous in words: what hangs where, what it waits for, and what is expected of that."""

from __future__ import annotations

from solidstate.planner.nest import Nest, nest_of
from solidstate.planner.placement import step_places
from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.reasons import Expected, Rendezvous, meetings_of, named
from solidstate.planner.tree import Gate, Leaf, Parallel, Sequence, Tree
from tests.planner.test_regions import collect, item, mapped, source


def told(tree: Tree, ends: dict[str, float], *parks: str) -> list[Rendezvous]:
    """All rendezvous of a tree, by when steps are expected to end and who is expected to park."""
    places = step_places(Nest(tree, {}, {})).values()
    return meetings_of(places, (), Expected(ends, frozenset(parks)))


JOIN = Parallel((Leaf("a"), Sequence((Leaf("b"), Leaf("join", ("a",))))))


def test_a_step_hangs_under_the_input_that_ends_last() -> None:
    """The other one is what it has the rendezvous with."""
    assert told(JOIN, {"a": 1, "b": 2}) == [
        Rendezvous(
            steps=["join"],
            after=["b"],
            waits=["a"],
            gate=False,
            parks=False,
            reason="`join` hangs under `b`, which is expected to end last; it also waits for `a`, which the nesting "
            "cannot place before it",
        )
    ]


def test_inputs_that_end_together_are_no_reason_to_park() -> None:
    """One of them was chosen; nothing more is claimed."""
    (one,) = told(JOIN, {"a": 2, "b": 2})
    assert one.reason.startswith("`join` hangs under `b`, which is expected to end as late as any; it also waits")
    assert not one.parks


def test_a_step_that_is_there_too_early_parks() -> None:
    """Its input ends later than what it hangs under: nothing is said of an end that is expected last."""
    (one,) = told(JOIN, {"a": 3, "b": 2}, "join")
    assert one.reason.startswith("`join` hangs under `b`; it also waits for `a`, which")
    assert one.parks


def test_steps_with_the_same_waits_share_a_sentence() -> None:
    """In the plural, and with all the names as far as they are few."""
    branches = Parallel((Leaf("x", ("a", "c")), Leaf("y", ("a", "c"))))
    tree = Parallel((Leaf("a"), Leaf("c"), Sequence((Leaf("b"), branches))))
    (one,) = told(tree, {"a": 1, "b": 2, "c": 1})
    assert one.steps == ["x", "y"]
    assert one.reason == (
        "`x` and `y` hang under `b`, which is expected to end last; they also wait for `a` and `c`, which the nesting "
        "cannot place before them"
    )


def test_a_gate_waits_for_all_behind_it() -> None:
    """Once for all of them; it parks, not they."""
    tree = Parallel((Leaf("a"), Sequence((Leaf("b"), Gate("x", ("a",)), Parallel((Leaf("x"), Leaf("y")))))))
    (one,) = told(tree, {"a": 9, "b": 2}, "x")
    assert (one.steps, one.gate, one.parks) == (["x", "y"], True, True)
    assert one.reason == (
        "`x` and `y` hang under `b`; they also wait at one gate for `a`, which the nesting cannot place before them"
    )


def test_a_step_without_a_place_behind_its_inputs_begins_a_branch() -> None:
    """Where nesting any deeper would not be readable."""
    (one,) = told(Parallel((Leaf("a"), Leaf("b", ("a",)))), {"a": 1}, "b")
    assert one.reason == (
        "`b` begins a branch at the start of the run; it waits for `a`, which the nesting cannot place before it"
    )
    assert one.parks


def test_mapped_steps_are_waited_for_with_all_their_items() -> None:
    """Seen from outside; inside each item has its own."""
    plan = ExecutionPlan(
        "demo",
        (
            source("x"),
            source("y"),
            mapped("a", "x", item("x", "items")),
            mapped("c", "y", item("y", "items"), collect("a")),
            mapped("d", "y", item("y", "items")),
        ),
    )
    places = step_places(nest_of(plan)).values()
    (one,) = meetings_of(places, "acd", Expected({"a": 3.0, "y": 1.0}))
    assert one.reason == (
        "`c` hangs under `a`, which is expected to end last; it also waits for `y`, which the nesting cannot place "
        "before it"
    )


def test_many_names_are_counted() -> None:
    """A sentence stays a sentence."""
    assert named(list("abc"), "b") == "`a`, all items of `b` and `c`"
    assert named(list("abcdefgh")) == "`a`, `b`, `c`, `d`, `e`, `f` and 2 more"
