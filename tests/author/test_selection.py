"""Selections of steps: they equal what a walk over the graph finds, and wrong ones are errors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from solidstate.selection import select_steps

CHAIN = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "x": []}


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    names = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        for number, name in enumerate(names)
    }


def chosen(expression: str, upstream: dict[str, list[str]] = CHAIN) -> list[str]:
    steps, errors = select_steps(expression, upstream)
    assert not errors
    return steps


def test_marks() -> None:
    """Each mark on either side of a name."""
    assert chosen("b") == ["b"]
    assert chosen("b*") == ["b", "c", "d"]
    assert chosen("*b") == ["a", "b"]
    assert chosen("b+1") == chosen("b+") == ["b", "c"]
    assert chosen("2+d") == ["b", "c", "d"]
    assert chosen("+c+0") == ["b", "c"]
    assert chosen(" x ,b ") == ["b", "x"]
    assert chosen("a+999999999") == ["a", "b", "c", "d"]


TAGS = {"a": {"owner": "ops"}, "b": {"owner": "ops", "tier": "1"}, "c": {}, "d": {"owner": "web team"}}


def tagged(expression: str) -> list[str]:
    steps, errors = select_steps(expression, CHAIN, None, TAGS)
    assert not errors
    return steps


def test_tags() -> None:
    """A tag with its value, a tag of any value, with marks, beside names."""
    assert tagged("tag:owner=ops") == ["a", "b"]
    assert tagged("tag:owner") == ["a", "b", "d"]
    assert tagged("tag:owner=web team, x") == ["d", "x"]
    assert tagged("tag:tier=1*") == ["b", "c", "d"]
    assert tagged("1+tag:owner=web team") == ["c", "d"]


def test_a_tag_nobody_has() -> None:
    """The nearest tag there is, or all of them."""
    steps, errors = select_steps("tag:owner=opps, tag:zzz", CHAIN, None, TAGS)
    assert steps == []
    assert [str(error) for error in errors] == [
        "No step has the tag `owner=opps`.\n  at: steps\n  fix: did you mean `owner=ops`?",
        "No step has the tag `zzz`.\n  at: steps\n  fix: tags: `owner=ops`, `tier=1`, `owner=web team`",
    ]


@given(graphs(), st.data())
def test_both_stars_are_each_other_seen_from_the_other_end(graph: dict[str, list[str]], data: st.DataObject) -> None:
    """`b` is in `a*` exactly when `a` is in `*b`, and a depth as large as the graph is a star."""
    first, second = (data.draw(st.sampled_from(list(graph))) for _ in range(2))
    assert (second in chosen(f"{first}*", graph)) == (first in chosen(f"*{second}", graph))
    assert chosen(f"{first}+{len(graph)}", graph) == chosen(f"{first}*", graph)
    assert chosen(f"{len(graph)}+{first}", graph) == chosen(f"*{first}", graph)


@given(graphs(), st.data())
def test_clauses_add_up_in_plan_order(graph: dict[str, list[str]], data: st.DataObject) -> None:
    """A list of clauses selects what any of them does, in the order of the plan, whatever theirs is."""
    clauses = data.draw(st.lists(st.sampled_from([f"{n}{m}" for n in graph for m in ("", "*", "+1")]), min_size=1))
    together = chosen(",".join(clauses), graph)
    assert set(together) == {step for clause in clauses for step in chosen(clause, graph)}
    assert together == [step for step in graph if step in together]


@given(st.text(max_size=30))
def test_any_text_is_a_selection_or_an_error(text: str) -> None:
    """Nothing that can be typed raises."""
    steps, errors = select_steps(text, CHAIN)
    assert steps or errors


def test_a_depth_of_thousands_of_digits() -> None:
    """Python itself refuses to read such a number; the selection does so first."""
    for clause in ("a+" + "9" * 5_000, "9" * 5_000 + "+a"):
        steps, errors = select_steps(clause, CHAIN)
        assert (steps, len(errors)) == ([], 1)


def test_all_errors_are_collected_once() -> None:
    """A wrong clause does not hide another, and the same one twice is one error."""
    _, errors = select_steps("nope,,b-c,nope", CHAIN)
    assert [error.problem for error in errors] == [
        "There is no step `nope`.",
        "'' is not a selection.",
        "'b-c' is not a selection.",
    ]
