"""Dependencies of 2019: types at both ends, the dictionary, what a pipeline is made of."""

from __future__ import annotations

from typing import Any

from solidstate import (
    Out,
    Output,
    execute_pipeline,
    pipeline,
    pipeline_from_dependencies,
    solid,
)
from tests.parity.running import built, run, undefined

order: list[str] = []


@solid
def one() -> int:
    return 1


@solid
def two() -> int:
    return 2


@solid
def add(left: int, right: int) -> int:
    return left + right


@solid
def show(number: int) -> int:
    return number


@solid
def total(numbers: list[int]) -> list[int]:
    return numbers


@solid(outs={"low": Out(int), "high": Out(int)})
def split() -> Any:
    yield Output(1, "low")
    yield Output(9, "high")


def test_unlike_types_are_refused() -> None:
    """2019 connected what can never fit and failed at run time; a provable conflict is refused here."""

    @solid
    def text() -> str:
        return "a"

    assert undefined(lambda: built(lambda: show(text()))) == (
        "Output `result` of `text` is `str`, but input `number` of `show` expects `int`, and no value is both.\n"
        "  at: p.show.number\n"
        "  fix: correct one of the annotations, convert in a solid between them, or connect another output"
    )


def test_what_cannot_be_proved_is_connected() -> None:
    """`Any` into `int` is left to run time, as 2019 left everything."""

    @solid
    def anything() -> Any:
        return 1

    assert run(lambda: show(anything())).success


def test_a_pipeline_has_solids() -> None:
    """An empty one is refused."""
    assert undefined(lambda: built(lambda: None)) == (
        "Pipeline `p` has no solids.\n  at: p\n  fix: call at least one solid in its body"
    )


def test_a_pipeline_from_a_dictionary() -> None:
    """`{solid: {input: DependencyDefinition(...)}}` is `{solid: {input: "solid.output"}}`."""
    made = pipeline_from_dependencies(
        "p", [split, show, one, add], {"show": {"number": "split.high"}, "add": {"left": "show", "right": "one"}}
    )
    assert execute_pipeline(made).output("add") == 10


def test_fan_in_from_a_dictionary() -> None:
    """`MultiDependencyDefinition` is a list of names."""
    made = pipeline_from_dependencies("p", [two, one, total], {"total": {"numbers": ["two", "one"]}})
    assert execute_pipeline(made).output("total") == [2, 1]


def test_aliases_in_a_dictionary() -> None:
    """`SolidInvocation(name, alias)` is the aliased solid itself."""
    made = pipeline_from_dependencies("p", [one, show.alias("seen")], {"seen": {"number": "one"}})
    assert execute_pipeline(made).output("seen") == 1


def test_a_dictionary_that_names_a_stranger() -> None:
    """A solid that is not in the list is refused."""
    assert undefined(lambda: pipeline_from_dependencies("p", [one, show], {"show": {"number": "oen"}})) == (
        "Input `number` of `show` is fed by `oen`, which does not exist (no such solid).\n"
        "  at: p.show.number\n"
        "  fix: write `solid` or `solid.output`"
    )


def test_no_cycles() -> None:
    """Solids that feed each other in a circle are refused."""
    circle = {"a": {"number": "b"}, "b": {"number": "a"}}
    assert undefined(lambda: pipeline_from_dependencies("p", [show.alias("a"), show.alias("b")], circle)) == (
        "Pipeline `p` has a cycle: `a` -> `b` -> `a`.\n"
        "  at: p\n"
        "  fix: remove one of these dependencies; data flows one way"
    )


def test_a_pipeline_is_described() -> None:
    """Name and docstring of its function."""

    @pipeline
    def nightly() -> None:
        """Every night."""
        one()

    assert (nightly.name, nightly.description) == ("nightly", "Every night.")


def test_solids_of_a_pipeline_by_name() -> None:
    """In the order they were called."""
    assert [node.name for node in built(lambda: add(two(), one())).nodes] == ["two", "one", "add"]
