"""Parts that become nested executions: nothing lost, no order changed, every machine within its bounds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from solidstate.planner.fit import FILLED, Weight, fit
from solidstate.planner.graph import dag_of
from solidstate.planner.limits import MAX_NESTED_PARALLELS
from solidstate.planner.shape import shape
from solidstate.planner.tree import Gate, Leaf, Nested, Parallel, Sequence, Tree, height, leaves, nodes, sequence
from tests.planner.drawing import on_one_line
from tests.planner.test_shape import Edges, comb, graphs, ordered_by, waits_in


def parts_of(tree: Tree) -> list[Nested]:
    """All parts, also those inside of parts."""
    return [node for node in nodes(tree) if isinstance(node, Nested)]


def opened(tree: Tree) -> Tree:
    """The tree without parts, each replaced by what it holds."""
    if isinstance(tree, Nested):
        return opened(tree.body)
    if isinstance(tree, Sequence):
        parts: list[Leaf | Gate | Nested | Parallel] = []
        for part in map(opened, tree.parts):
            parts.extend(part.parts if isinstance(part, Sequence) else (part,))
        return Sequence(tuple(parts))
    if isinstance(tree, Parallel):
        branches: list[Leaf | Gate | Nested | Sequence] = []
        for branch in map(opened, tree.branches):
            branches.extend(branch.branches if isinstance(branch, Parallel) else (branch,))
        return Parallel(tuple(branches))
    return tree


def fitted(tree: Tree, size: int, events: int = 1) -> tuple[Tree, Weight]:
    """With steps of one size, gates of next to none, and parts named in the order they are made."""
    count = iter(range(1, 10_000))
    weights = {Leaf: Weight(size, events), Gate: Weight(100, 1)}
    return fit(tree, lambda one: weights[type(one)], lambda: f"Part{next(count)}")


def own_leaves(tree: Tree) -> int:
    """Leaves in the machine itself."""
    if isinstance(tree, Nested | Gate):
        return 0
    if isinstance(tree, Sequence | Parallel):
        return sum(map(own_leaves, tree.parts if isinstance(tree, Sequence) else tree.branches))
    return 1


@settings(max_examples=200)
@given(graphs(most=16), st.sampled_from([1_000, 90_000, 200_000, 400_000, 900_000]), st.sampled_from([1, 4_000]))
def test_machines_are_within_their_bounds_and_order_is_untouched(
    graph: tuple[list[str], Edges], size: int, events: int
) -> None:
    """However heavy steps are, as long as one fits into a machine."""
    tree = shape(dag_of(*graph))
    cut, weight = fitted(tree, size, events)
    assert ordered_by(opened(cut)) == ordered_by(tree)
    assert waits_in(opened(cut)) == waits_in(tree)
    assert sorted(leaves(cut)) == sorted(leaves(tree))
    assert weight.share() <= FILLED or own_leaves(cut) == 1
    names = [part.name for part in parts_of(cut)]
    assert len(set(names)) == len(names)
    for machine in (cut, *(part.body for part in parts_of(cut))):
        alone = own_leaves(machine) == 1
        assert alone or Weight(size * own_leaves(machine), events * own_leaves(machine)).share() <= FILLED


def test_what_fits_is_left_as_it_is() -> None:
    """A nested execution costs half a second and a transition."""
    tree = shape(dag_of("abcd", [("a", "c"), ("a", "d"), ("b", "d")]))
    assert fitted(tree, 1_000)[0] == tree


def test_machines_are_filled_before_another_is_opened() -> None:
    """Ten steps, of which four fit into a machine: four stay beside the references to two parts."""
    chain = Sequence(tuple(Leaf(name) for name in "abcdefghij"))
    assert on_one_line(fitted(chain, 240_000)[0]) == "a > b > c > d > <Part1: e > f > g > h> > <Part2: i > j>"
    fan = Parallel(tuple(Leaf(name) for name in "abcdefgh"))
    assert on_one_line(fitted(fan, 240_000)[0]) == "(a | b | c | d | <Part1: (e | f | g | h)>)"


def test_what_nests_too_deep_for_one_machine_is_cut() -> None:
    """A comb of 300 teeth is 299 Parallels deep, and exact; each machine gets its share of them."""
    tree = shape(dag_of(*comb(300)))
    cut, _ = fitted(tree, 500)
    assert len(parts_of(cut)) == 299 // MAX_NESTED_PARALLELS
    assert all(height(machine) <= MAX_NESTED_PARALLELS for machine in (cut, *(part.body for part in parts_of(cut))))
    assert sorted(leaves(cut)) == sorted(leaves(tree))


def test_parts_have_parts() -> None:
    """More references than fit into one machine are gathered in turn."""
    fan = Parallel(tuple(Leaf(f"s{number}") for number in range(4_000)))
    cut, weight = fitted(fan, 900_000)
    assert weight.share() <= FILLED
    inside = [part for part in parts_of(cut) if any(isinstance(node, Nested) for node in nodes(part.body))]
    assert inside
    assert sorted(leaves(cut)) == sorted(leaves(fan))


def test_one_step_that_is_too_heavy_is_left_to_the_quota_check() -> None:
    """It cannot be cut; the others are kept apart from it."""
    heavy = {"b": Weight(2_000_000, 1)}
    count = iter(range(1, 99))
    chain = Sequence((Leaf("a"), Leaf("b"), Leaf("c")))
    cut, _ = fit(chain, lambda leaf: heavy.get(leaf.step, Weight(1_000, 1)), lambda: f"Part{next(count)}")
    assert on_one_line(cut) == "a > <Part1: b> > <Part2: c>"


@settings(max_examples=200)
@given(st.lists(st.booleans(), min_size=1, max_size=12), st.sampled_from([90_000, 300_000, 400_000, 900_000]))
def test_a_gate_stays_in_the_machine_of_what_it_holds_up(gated: list[bool], size: int) -> None:
    """Wherever a sequence is cut: at the end of a machine there would be nothing that the gate lets begin."""
    parts: list[Leaf | Gate | Nested | Parallel] = []
    for number, gate in enumerate(gated):
        parts += [Gate(f"s{number}", ("far",))] if gate else []
        parts.append(Leaf(f"s{number}"))
    cut, _ = fitted(sequence(parts), size)
    assert on_one_line(opened(cut)) == on_one_line(sequence(parts))
    for machine in (cut, *(part.body for part in parts_of(cut))):
        for node in nodes(machine):
            if isinstance(node, Sequence):
                assert not isinstance(node.parts[-1], Gate)
            assert not (isinstance(node, Nested) and isinstance(node.body, Gate))
