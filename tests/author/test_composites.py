"""Composites: flat nodes under whole names, the nesting as data, and what is wrong with them, word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from solidstate import DynamicOut, DynamicOutput, In, Nothing, Out, Output, composite_solid, pipeline, solid
from solidstate.composition import Source
from solidstate.errors import DefinitionError


@solid
def one() -> int:
    return 1


@solid
def plus(number: int) -> int:
    return number + 1


@solid
def add(left: int, right: int) -> int:
    return left + right


@solid
def total(numbers: list[int]) -> int:
    return sum(numbers)


@solid(outs={"high": Out(int), "low": Out(int)})
def split(number: int) -> Any:
    yield Output(number, "high")
    yield Output(number, "low")


@solid(ins={"after": In(Nothing)})
def tidy() -> None:
    """Comes last."""


@composite_solid
def twice(number: int) -> Any:
    """Adds two."""
    return plus.alias("second")(plus.alias("first")(number))


def wiring(built: Any) -> dict[str, dict[str, list[str]]]:
    """Each node's inputs and what feeds them."""
    return {
        node.name: {key: [f"{s.node}.{s.output}" for s in b.sources] for key, b in node.bindings.items()}
        for node in built.nodes
    }


def test_nodes_are_flat_and_named_by_the_way_to_them() -> None:
    """A composite inside a composite gives `outer.inner.solid`, wired through all of them."""

    @composite_solid
    def outer(left: int, right: int) -> Any:
        return add(twice(left), twice.alias("other")(right))

    @pipeline
    def p() -> None:
        plus(outer(one(), one.alias("uno")()))

    assert wiring(p) == {
        "one": {},
        "uno": {},
        "outer.twice.first": {"number": ["one.result"]},
        "outer.twice.second": {"number": ["outer.twice.first.result"]},
        "outer.other.first": {"number": ["uno.result"]},
        "outer.other.second": {"number": ["outer.other.first.result"]},
        "outer.add": {"left": ["outer.twice.second.result"], "right": ["outer.other.second.result"]},
        "plus": {"number": ["outer.add.result"]},
    }


def test_the_nesting_is_kept_as_data() -> None:
    """Definition, children and mappings of each use, outer ones first."""

    @composite_solid
    def outer(number: int) -> Any:
        parts = split(twice(number))
        return {"a": parts.high, "b": plus(number)}

    @pipeline
    def p() -> None:
        outer.alias("mine")(one())

    assert [use.name for use in p.composites] == ["mine", "mine.twice"]
    mine = p.composite("mine")
    assert mine.definition is outer
    assert mine.children == ("mine.twice", "mine.split", "mine.plus")
    assert mine.inputs == {"number": (Source("mine.twice", "number"), Source("mine.plus", "number"))}
    assert mine.outputs == {"a": Source("mine.split", "high"), "b": Source("mine.plus", "result")}
    assert [out.name for out in outer.outputs] == ["a", "b"]
    assert twice.description == "Adds two."


def test_an_input_that_nobody_connects_is_open_inside() -> None:
    """It stays open in every solid it is passed to, through composites too."""

    @composite_solid
    def outer(number: int, other: int) -> Any:
        return add(twice(number), other)

    @pipeline
    def p() -> None:
        outer(other=one())

    assert wiring(p)["outer.twice.first"] == {}
    assert wiring(p)["outer.add"] == {"left": ["outer.twice.second.result"], "right": ["one.result"]}


def test_a_fan_in_goes_through_a_composite() -> None:
    """A list passed to a composite is a list where the composite passes it on."""

    @composite_solid
    def summed(numbers: list[int]) -> Any:
        return total(numbers)

    @pipeline
    def p() -> None:
        summed([one(), one.alias("uno")()])

    assert wiring(p)["summed.total"] == {"numbers": ["one.result", "uno.result"]}


def test_a_composite_called_outside_of_a_pipeline_is_its_function() -> None:
    """As a solid is: a unit test calls it with values."""
    assert twice(1) == 3


def test_types_refine_what_is_shown() -> None:
    """Annotations and `outs` name the types of inputs and outputs."""

    @composite_solid(outs={"sum": Out(int, description="of all")})
    def outer(number: int) -> Any:
        return {"sum": plus(number)}

    assert [(inp.name, inp.type.name) for inp in outer.inputs] == [("number", "int")]
    assert [(out.name, out.type.name, out.description) for out in outer.outputs] == [("sum", "int", "of all")]


NAMES: dict[str, Any] = {}


def _recursive() -> Any:
    later: list[Any] = []

    @composite_solid
    def first(number: int) -> Any:
        return later[0](number) if later else plus(number)

    @composite_solid
    def second(number: int) -> Any:
        return first(number)

    later.append(second)
    return pipeline(name="p")(lambda: second(one()))


def _composite(body: Callable[..., Any], **options: Any) -> Any:
    body.__name__ = "outer"
    return composite_solid(**options)(body)


def _plus(number: Any) -> Any:
    return plus(number)


def _forgetful(number: Any) -> int:  # type: ignore[return]  # what is tested
    plus(number)


def _dynamic() -> Any:
    @solid(outs={"items": DynamicOut(int)})
    def make() -> Any:
        yield DynamicOutput(1, "a", "items")

    return make()


ERRORS: dict[str, tuple[Callable[[], Any], str]] = {
    "contains itself": (
        _recursive,
        "Composite `second` contains itself: `second` -> `first` -> `second`.",
    ),
    "one of two": (
        lambda: _composite(_plus, config_fn=lambda config: config),
        "Composite `outer` has `config_fn` but no `config`.",
    ),
    "config is no struct": (
        lambda: _composite(_plus, config=dict, config_fn=lambda config: config),
        "`config` of composite `outer` must be a `msgspec.Struct`, got <class 'dict'>.",
    ),
    "a default": (
        lambda: _composite(lambda number=1: plus(number)),
        "Parameter `number=1` of composite `outer` cannot be an input: it has a default, which would have to be an "
        "output of a solid.",
    ),
    "returns its input": (
        lambda: _composite(lambda number: number),
        "Composite `outer` returns its own input `number`; expected what a solid called in its body gives.",
    ),
    "returns a value": (
        lambda: _composite(lambda number: {"a": plus(number), "b": 3}),
        "Composite `outer` returns as its output `b` 3; expected what a solid called in its body gives.",
    ),
    "outputs declared and no return": (
        lambda: _composite(_forgetful, outs={"b": Out(int)}),
        "Composite `outer` declares `b`, but its body returns nothing.",
    ),
    "a type and no return": (
        lambda: _composite(_forgetful),
        "Composite `outer` is annotated `-> int`, but its body returns nothing.",
    ),
    "other outputs than declared": (
        lambda: _composite(lambda number: {"a": plus(number)}, outs={"b": Out(int)}),
        "`outs` of composite `outer` declares `b`, but its body returns `a`.",
    ),
    "unknown input inside": (
        lambda: _composite(lambda number: plus(nummer=number)),
        "`plus` has no input `nummer`; its inputs: `number`.",
    ),
    "body raises": (
        lambda: _composite(lambda number: NAMES["a"]),
        "The body of composite `outer` raised KeyError: 'a'.",
    ),
    "unknown input": (
        lambda: pipeline(name="p")(lambda: twice(nummer=one())),
        "`twice` has no input `nummer`; its inputs: `number`.",
    ),
    "given a value": (
        lambda: pipeline(name="p")(lambda: twice(3)),
        "Input `number` of `twice` is given the value 3; in a pipeline only outputs of other solids can be passed.",
    ),
    "name taken": (
        lambda: pipeline(name="p")(lambda: (twice(one()), twice(one.alias("uno")()))),
        "Pipeline `p` uses the name `twice` twice.",
    ),
    "open and Nothing": (
        lambda: pipeline(name="p")(lambda: _composite(lambda end: tidy(after=end))()),  # noqa: PLW0108 - a definition is no function
        "Input `after` of `outer.tidy` orders steps and is not connected to any output.",
    ),
    "open in a list": (
        lambda: pipeline(name="p")(lambda: _composite(lambda a, b: total([a, b]))(one())),
        "Input `numbers` of `outer.total` is given input `b` of composite `outer` as one element of a list, but that "
        "is not connected.",
    ),
    "items as an input": (
        lambda: pipeline(name="p")(lambda: twice(_dynamic())),
        "Input `number` of `twice` is given output `items` of `make`, which has any number of items.",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_is_wrong_is_told(case: str) -> None:
    """At decoration what can be known then, at the pipeline's the rest."""
    build, problem = ERRORS[case]
    with pytest.raises(DefinitionError) as caught:
        build()
    assert caught.value.problem == problem
    assert caught.value.hint


def test_errors_inside_say_where() -> None:
    """The path of an error leads through the composites: `pipeline.outer.inner.input`."""

    @composite_solid
    def outer(end: Any) -> Any:
        return tidy(after=end)

    with pytest.raises(DefinitionError) as caught:
        pipeline(name="p")(lambda: outer())  # noqa: PLW0108 - a definition is no function
    assert caught.value.path == "p.outer.tidy.after"
