"""`@pipeline` and its twin made from data: nodes, bindings, order."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from solidstate import In, Mode, Nothing, Out, Preset, pipeline, pipeline_from_dependencies, solid
from solidstate.composition import Binding, Source
from solidstate.errors import DefinitionError


@solid
def one() -> int:
    return 1


@solid
def total(numbers: Any, label: str = "") -> int:
    return sum(numbers)


@solid(outs={"count": Out(int), "index": Out(int), "_node": Out(int), "late": Out(int, optional=True)})
def split(number: int) -> Any: ...


@solid(ins={"after": In(Nothing)})
def finish() -> None: ...


def bindings(made: Any) -> dict[str, dict[str, Binding]]:
    return {node.name: node.bindings for node in made.nodes}


def test_calls_become_nodes_in_order() -> None:
    """Fan-in keeps the order of its list; keywords and positions mean the same; Nothing orders."""

    @pipeline
    def p() -> None:
        """Adds."""
        a, b = one.alias("a")(), one.alias("b")()
        sum_of = total([b, a])
        finish(after=[sum_of, a])
        total.alias("single")(numbers=a)

    assert (p.name, p.description) == ("p", "Adds.")
    assert bindings(p) == {
        "a": {},
        "b": {},
        "total": {"numbers": Binding((Source("b", "result"), Source("a", "result")), fan_in=True)},
        "finish": {"after": Binding((Source("total", "result"), Source("a", "result")), fan_in=True)},
        "single": {"numbers": Binding((Source("a", "result"),))},
    }


def test_several_outputs_by_name_position_and_unpacking() -> None:
    """Outputs may have any name a solid may give them, `count` and `index` included."""

    @pipeline
    def p() -> None:
        parts = split()
        count, *_, late = parts
        assert len(parts) == 4
        assert parts.count == parts[0] == parts["count"] == count
        assert parts.late == parts[-1] == late
        assert parts.count != parts.index
        assert hash(parts.count) == hash(count)
        assert copy.copy(parts).late == late
        total([parts.index, parts._node, parts.count])
        assert repr(late) == "<output `late` of `split`>"
        assert repr(parts) == "<outputs of `split`: count, index, _node, late>"

    assert [source.output for source in bindings(p)["total"]["numbers"].sources] == ["index", "_node", "count"]


def test_from_dependencies() -> None:
    """The same pipeline from data, in the order of its solids."""
    made = pipeline_from_dependencies(
        "p",
        [one, split, total, total.alias("again")],
        {"split": {"number": "one"}, "total": {"numbers": ["split.late", "one"]}, "again": {"numbers": "split.count"}},
    )
    assert bindings(made) == {
        "one": {},
        "split": {"number": Binding((Source("one", "result"),))},
        "total": {"numbers": Binding((Source("split", "late"), Source("one", "result")), fan_in=True)},
        "again": {"numbers": Binding((Source("split", "count"),))},
    }


def test_options() -> None:
    """Modes, presets and tags are kept; without modes there is a default one."""
    made = pipeline(
        name="q",
        modes=[Mode("m")],
        presets=[Preset("s", mode="m")],
        tags={"a": "b"},
        description="d",
    )(body_of(one))
    assert (made.name, made.description, made.tags) == ("q", "d", {"a": "b"})
    assert (made.mode("m").name, made.preset("s").mode, made.node("one").solid) == ("m", "m", one)
    assert [mode.name for mode in pipeline(body_of(one)).modes] == ["default"]


def body_of(called: Any) -> Any:
    def body() -> None:
        called()

    return body


def test_a_pipeline_within_a_body_is_its_own() -> None:
    """Nodes go to the pipeline whose body calls them."""

    @pipeline
    def outer() -> None:
        pipeline(body_of(one))
        one.alias("mine")()

    assert [node.name for node in outer.nodes] == ["mine"]


def test_a_body_that_fails_leaves_nothing_behind() -> None:
    """After an error a solid is its function again."""
    with pytest.raises(DefinitionError):
        pipeline(name="p")(lambda: one() + 1)
    assert one() == 1


def test_unfed_inputs_that_config_can_give() -> None:
    """An input may wait for the run request, when a document can spell its type, or have a default."""
    made = pipeline(name="p")(body_of(total))
    assert bindings(made) == {"total": {}}


def test_an_error_in_the_body_says_its_line() -> None:
    """Also one that is told by what the body calls."""

    def body() -> None:
        other.output("nothing")

    @solid
    def other() -> int:
        return 1

    with pytest.raises(DefinitionError) as caught:
        pipeline(name="p")(body)
    assert caught.value.path == f"{__file__}:{body.__code__.co_firstlineno + 1}"


def test_a_pipeline_is_not_called() -> None:
    """Neither to run it nor inside another."""

    @pipeline
    def inner() -> None:
        one()

    with pytest.raises(DefinitionError) as caught:
        inner()
    assert str(caught.value) == ("Pipeline `inner` is called like a function.\n  fix: run it: `execute_pipeline(...)`")
    with pytest.raises(DefinitionError) as caught:
        pipeline(name="outer")(lambda: inner())  # noqa: PLW0108 - a definition is no function
    assert (caught.value.problem, caught.value.hint) == (
        "Pipeline `inner` is called in the body of `outer`.",
        "a pipeline cannot be part of another; make it a `@composite_solid`",
    )


@pytest.mark.parametrize(
    ("dependencies", "found"),
    [
        ([("a", "b")], "got [('a', 'b')] of type `list`"),
        ({"a": "b"}, "but 'a' is mapped to 'b' of type `str`"),
    ],
)
def test_dependencies_are_mappings(dependencies: Any, found: str) -> None:
    """Anything else is named, not stumbled over."""
    with pytest.raises(DefinitionError) as caught:
        pipeline_from_dependencies("p", [], dependencies)
    assert str(caught.value) == (
        f"`dependencies` of pipeline `p` must map names of solids to mappings of their inputs, {found}.\n"
        '  at: p\n  fix: write `{"clean": {"flights": "read"}}`'
    )
