"""The graph of a plan: order, levels, reachability, reduction and the text of its errors."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.errors import DefinitionError
from solidstate.planner.graph import closure, dag_of, dag_of_plan, transitive_reduction
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput

Edges = list[tuple[str, str]]


@st.composite
def graphs(draw: st.DrawFn, most: int = 9) -> tuple[list[str], Edges]:
    """Names in an order of their own and edges in any order, without cycles."""
    names = draw(st.permutations([f"s{number}" for number in range(draw(st.integers(1, most)))]))
    pairs = [(a, b) for number, b in enumerate(names) for a in names[:number]]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return draw(st.permutations(names)), edges


def test_steps_keep_their_given_order_where_edges_allow_it() -> None:
    """Among steps that are ready the one named first comes first."""
    dag = dag_of(["d", "c", "b", "a"], [("a", "c"), ("b", "d")])
    assert dag.names == ("b", "d", "a", "c")


@given(graphs(), st.randoms())
def test_order_is_topological_and_ignores_edge_order(graph: tuple[list[str], Edges], chance: random.Random) -> None:
    """Shuffled and doubled edges give an equal graph, in which every edge leads forward."""
    names, edges = graph
    dag = dag_of(names, edges)
    again = edges * 2
    chance.shuffle(again)
    assert dag_of(names, again) == dag
    assert all(dag.names.index(a) < dag.names.index(b) for a, b in edges)
    assert sorted(dag.edges()) == sorted(edges)


@given(graphs())
def test_reduction_keeps_the_order_with_the_fewest_edges(graph: tuple[list[str], Edges]) -> None:
    """The closure is unchanged, and leaving out any edge that was kept would change it."""
    dag = dag_of(*graph)
    reduced = transitive_reduction(dag)
    assert reduced.names == dag.names
    assert closure(reduced) == closure(dag)
    for edge in reduced.edges():
        fewer = dag_of(dag.names, [other for other in reduced.edges() if other != edge])
        assert fewer.names != dag.names or closure(fewer) != closure(dag)


@given(graphs())
def test_ancestors_and_descendants_mirror_each_other(graph: tuple[list[str], Edges]) -> None:
    """One step is an ancestor of another exactly when the other is its descendant."""
    dag = dag_of(*graph)
    for name in dag.names:
        assert all(name in dag.ancestors(later) for later in dag.descendants(name))
        assert all(name in dag.descendants(earlier) for earlier in dag.ancestors(name))
        assert name not in dag.descendants(name)


def test_levels_are_longest_paths() -> None:
    """A step is one level below the lowest of those it waits for."""
    dag = dag_of(["a", "b", "c", "d"], [("a", "b"), ("b", "d"), ("a", "d")])
    assert dict(zip(dag.names, dag.levels(), strict=True)) == {"a": 0, "b": 1, "c": 0, "d": 2}


def test_a_plan_is_read_through_its_inputs() -> None:
    """All inputs count, also those that only order and those of a fan-in list."""
    refs = (OutputRef("a", "result"), OutputRef("b", "result"))
    steps = (
        Step("a", "one"),
        Step("b", "one", inputs=(StepInput("after", "output", refs[:1], nothing=True),)),
        Step("c", "many", inputs=(StepInput("parts", "fan_in", refs), StepInput("limit", "config"))),
    )
    assert dag_of_plan(ExecutionPlan("p", steps)).edges() == (("a", "b"), ("a", "c"), ("b", "c"))


def test_a_cycle_is_spelled_out_from_its_first_step() -> None:
    """Steps before and behind the cycle are not named."""
    with pytest.raises(DefinitionError) as caught:
        dag_of(["x", "a", "b", "c", "y"], [("x", "b"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "y")])
    assert str(caught.value) == (
        "A step cannot wait for itself, but these steps form a cycle: `a` -> `b` -> `c` -> `a`.\n"
        "  fix: remove one of these dependencies, for example the input of `a` that comes from `c`"
    )


def test_a_step_that_waits_for_itself_is_a_cycle() -> None:
    """The shortest cycle reads like any other."""
    with pytest.raises(DefinitionError, match="cycle: `a` -> `a`"):
        dag_of(["a"], [("a", "a")])


def test_a_long_cycle_is_shortened() -> None:
    """The message stays a message, whatever the length of the cycle."""
    names = [f"s{number:04}" for number in range(10_000)]
    with pytest.raises(DefinitionError) as caught:
        dag_of(names, [*pairwise(names), (names[-1], names[0])])
    assert "`s0005` -> (9989 more) -> `s9995`" in caught.value.problem
    assert len(str(caught.value)) < 400


def test_an_unknown_step_names_the_nearest_one() -> None:
    """The error says who is connected to what does not exist."""
    with pytest.raises(DefinitionError) as caught:
        dag_of(["read", "report"], [("raed", "report")])
    assert str(caught.value) == (
        "`report` is connected to `raed`, but there is no step of that name.\n  fix: did you mean `read`?"
    )


def test_a_name_given_twice_is_refused() -> None:
    """Two steps of one name could not be told apart."""
    with pytest.raises(DefinitionError) as caught:
        dag_of(["a", "b", "a"], [])
    assert str(caught.value) == (
        "Each step needs a name of its own, but `a` stands more than once.\n"
        "  fix: give one of them another name with `.alias(...)`"
    )


def test_ten_thousand_steps_in_a_row() -> None:
    """Nothing recurses and nothing is quadratic in time that shows."""
    names = [f"s{number}" for number in range(10_000)]
    dag = dag_of(names, pairwise(names))
    reduced = transitive_reduction(dag)
    assert reduced.names == tuple(names)
    assert len(reduced.ancestors("s9999")) == 9_999
    assert reduced.levels()[-1] == 9_999
