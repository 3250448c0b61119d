"""`@solid`: what is read from a function, and what stays as declared."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from solidstate import Compute, In, Nothing, Out, Output, RetryPolicy, SolidDefinition, pipeline, solid
from solidstate.errors import DefinitionError
from solidstate.handler.context import StepContext


class Config(msgspec.Struct):
    path: str


def scale(number: int, factor: int = 2) -> int:
    return number * factor


class Scaler:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def scale(self, number: int) -> int:
        return number * self.factor

    def __call__(self, number: int) -> int:
        return self.scale(number)


def shape(made: SolidDefinition) -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
    """Name, inputs and outputs with the names of their types."""
    return (
        made.name,
        [(inp.name, inp.type.name) for inp in made.inputs],
        [(out.name, out.type.name) for out in made.outputs],
    )


def test_a_plain_function() -> None:
    """With and without parentheses: parameters are inputs, the return annotation is the output `result`."""

    @solid
    def first(rows: list[int], limit: int | None = None) -> dict[str, int]:
        """Says what it does.

        And more.
        """
        return {}

    again = solid()(first.fn)
    for made in (first, again):
        assert shape(made) == (
            "first",
            [("rows", "list[int]"), ("limit", "int | None")],
            [("result", "dict[str, int]")],
        )
        assert made.description == "Says what it does."
        assert not made.takes_context
        assert not made.input("rows").has_default
        assert made.input("limit").default is None


def test_context_and_config_are_reserved() -> None:
    """Neither is an input."""

    @solid(resources="clock")
    def read(_context: Any, size: int, config: Config) -> str:
        return config.path

    assert shape(read)[1] == [("size", "int")]
    assert (read.takes_context, read.config_type, read.resources) == (True, Config, ("clock",))


def test_declarations_refine_inference() -> None:
    """`ins` and `outs` replace what the annotations say and add what they cannot."""

    @solid(
        ins={"rows": In(list[str], "lines", default=()), "after": In(Nothing)},
        outs={"late": Out(int, "too late"), "rest": Out(optional=True)},
    )
    def split(rows: int) -> Any: ...

    assert shape(split) == ("split", [("rows", "list[str]"), ("after", "Nothing")], [("late", "int"), ("rest", "Any")])
    assert (split.input("rows").default, split.input("rows").description) == ((), "lines")
    assert (split.output("late").optional, split.output("rest").optional) == (False, True)
    assert shape(solid(name="one", outs={"sum": Out()})(scale))[2] == [("sum", "int")]
    assert shape(solid(name="none", outs={})(scale))[2] == []


def test_annotations_of_wrapped_values() -> None:
    """`-> Output[int]` is an int, and a generator's annotation is no output's type."""

    def returns() -> Output[int]:
        return Output(1)

    def yields() -> Iterator[Output[int]]:
        yield Output(1)

    @functools.wraps(yields)
    def wrapper() -> Any:
        return yields()

    assert shape(solid(returns))[2] == [("result", "int")]
    assert shape(solid(yields))[2] == [("result", "Any")]
    assert shape(solid(wrapper))[2] == [("result", "Any")]


def test_callables_of_all_kinds() -> None:
    """Bound methods, partials, callable objects, static methods and named lambdas are functions like any other."""
    assert shape(solid(Scaler(3).scale)) == ("scale", [("number", "int")], [("result", "int")])
    assert shape(solid(Scaler(3))) == ("Scaler", [("number", "int")], [("result", "int")])
    assert shape(solid(staticmethod(scale))) == ("scale", [("number", "int"), ("factor", "int")], [("result", "int")])
    five: Any = lambda: 5  # noqa: E731 - that it is a lambda is the point
    assert shape(solid(name="five")(five)) == ("five", [], [("result", "Any")])
    partial = solid(functools.partial(scale, factor=5))
    assert shape(partial)[:2] == ("scale", [("number", "int"), ("factor", "int")])
    assert (partial.input("factor").default, partial.description) == (5, "")

    class Holder:
        @staticmethod
        @solid
        def read(path: str) -> str:
            return path

    assert Holder.read("a") == "a"


def test_outside_of_a_pipeline_a_solid_is_its_function() -> None:
    """Also under an alias, and in another solid's body."""
    double = solid(scale)

    @solid
    def quadruple(number: int) -> Any:
        return double.alias("again")(double(number))

    assert (double(3), double.alias("x")(3, factor=3), quadruple(3)) == (6, 9, 12)

    @pipeline
    def p() -> None:
        quadruple()

    assert [node.name for node in p.nodes] == ["quadruple"]


def test_policies_and_tags_are_kept() -> None:
    """Tags are text; resources are a sorted set, whatever they were given as."""
    made = solid(
        retry=RetryPolicy(max_attempts=2), compute=Compute(memory_mb=256), tags={"cost": 5}, resources=["b", "a", "b"],  # type: ignore[dict-item]  # made text
        description="",
    )(scale)  # fmt: skip
    assert (made.retry, made.compute.memory_mb, made.tags) == (RetryPolicy(max_attempts=2), 256, {"cost": "5"})
    assert (made.resources, made.description) == (("a", "b"), "")


@pytest.mark.parametrize("name", ["größe", "a" * 81, "a-b", "1a", "a.b", "a\n"])
def test_names_that_cannot_be_keys(name: str) -> None:
    """Names become parts of keys and patterns, which is refused where they are written."""
    with pytest.raises(DefinitionError, match="is not a name for"):
        solid(name=name)(scale)
    with pytest.raises(DefinitionError, match="is not a name for"):
        solid(scale).alias(name)


def test_parameters_are_names_too() -> None:
    """A parameter's name is an input's."""

    def read(größe: int) -> None: ...  # noqa: PLC2401 - what is tested

    with pytest.raises(DefinitionError, match="'größe' is not a name for an input of solid `read`"):
        solid(read)


def test_a_context_comes_first_and_is_called_context() -> None:
    """At another place, or under another name, it would be taken for an input."""

    def late(size: int, context: Any) -> None: ...

    def renamed(ctx: StepContext) -> None: ...

    cases: list[tuple[Any, str]] = [(late, "context"), (renamed, "ctx")]
    for func, parameter in cases:
        with pytest.raises(DefinitionError) as caught:
            solid(func)
        assert (caught.value.problem, caught.value.hint) == (
            f"Parameter `{parameter}` of solid `{func.__name__}` cannot be an input: the context must be the first "
            "parameter and be called `context`.",
            f"write `def {func.__name__}(context, ...)`",
        )
