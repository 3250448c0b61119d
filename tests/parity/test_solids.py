"""What a solid is and what its body may do, as authors knew it in 2019."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import In, Out, solid
from tests.parity.running import run, undefined


@solid
def one() -> int:
    return 1


@solid
def show(number: int) -> int:
    return number


def test_inputs_come_from_the_hints() -> None:
    """Parameters are the inputs, with the types their annotations say."""

    @solid
    def join(left: int, right: str, rest: Any) -> None: ...

    assert [(inp.name, inp.type.name) for inp in join.inputs] == [("left", "int"), ("right", "str"), ("rest", "Any")]


def test_the_output_comes_from_the_return_hint() -> None:
    """One output called `result`, of the annotated type; `Any` without an annotation."""

    @solid
    def free(value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - what is tested
        return value

    assert [(out.name, out.type.name) for out in one.outputs] == [("result", "int")]
    assert [(out.name, out.type.name) for out in free.outputs] == [("result", "Any")]


@pytest.mark.parametrize("name", ["context", "_context", "_"])
def test_the_context_is_no_input(name: str) -> None:
    """A first parameter called `context`, `_context` or `_` receives the context and is no input."""
    namespace: dict[str, Any] = {}
    exec(f"def body({name}, number=2): return ({name}.step_key, number)", namespace)  # noqa: S102 - a name as data
    made = solid(name="named", outs={"result": Out(Any)})(namespace["body"])
    assert [inp.name for inp in made.inputs] == ["number"]
    assert run(made).output("named") == ("named", 2)


def test_a_solid_needs_no_context() -> None:
    """A function of its inputs alone is a solid (`@lambda_solid`)."""
    assert run(lambda: show(one())).output("show") == 1


def test_the_name_is_the_functions() -> None:
    """Unless `name=` gives another."""
    other: Any = solid(name="other")(lambda: 1)
    assert (one.name, other.name) == ("one", "other")


def test_names_are_identifiers() -> None:
    """A name with a blank or a dash is refused."""
    assert undefined(lambda: solid(name="no-way")(lambda: 1)) == (
        "'no-way' is not a name for a solid: expected a letter or underscore, then letters, digits and underscores, at "
        "most 80.\n  fix: use a name like `read_flights`"
    )


def test_the_description() -> None:
    """The docstring's first line, unless `description=` gives another."""

    def documented() -> None:
        """Count the flights."""

    plain: Any = solid(documented)
    told: Any = solid(description="Something else.")(documented)
    assert (plain.description, told.description) == ("Count the flights.", "Something else.")


def test_inputs_and_outputs_have_descriptions() -> None:
    """`In` and `Out` carry one each."""

    @solid(ins={"number": In(description="how many")}, outs={"result": Out(int, description="twice as many")})
    def twice(number: int) -> int:
        return 2 * number

    assert (twice.input("number").description, twice.output("result").description) == ("how many", "twice as many")


def test_declared_types_replace_hints() -> None:
    """What `ins=` and `outs=` say goes before the annotations."""

    @solid(ins={"number": In(float)}, outs={"half": Out(float)})
    def halve(number: Any) -> Any:
        return number / 2

    assert (halve.inputs[0].type.name, halve.outputs[0].name, halve.outputs[0].type.name) == ("float", "half", "float")


def test_an_input_may_have_a_default() -> None:
    """A parameter's default is used when nothing is connected or given."""

    @solid
    def power(base: int = 3, exponent: int = 2) -> int:
        return int(base**exponent)

    assert run(lambda: power(one())).output("power") == 1
    assert run(power).output("power") == 9
