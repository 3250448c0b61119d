"""How solids become a pipeline: calls, the dictionary, fan-in and aliases, as in 2019."""

from __future__ import annotations

from typing import Any

import msgspec

from solidstate import (
    In,
    Nothing,
    Out,
    Output,
    solid,
)
from tests.parity.running import built, run, statuses, undefined


class Factor(msgspec.Struct):
    factor: int = 1


class Thing:
    """No request can spell it."""


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


@solid
def scale(config: Factor, number: int) -> int:
    return number * config.factor


@solid(outs={"low": Out(int), "high": Out(int)})
def split() -> Any:
    yield Output(1, "low")
    yield Output(9, "high")


@solid(outs={"done": Out(Nothing)})
def act() -> None:
    order.append("act")


@solid(ins={"after": In(Nothing)})
def follow() -> str:
    order.append("follow")
    return "followed"


def test_calls_make_edges() -> None:
    """Calling a solid on another's output connects them."""
    node = built(lambda: add(one(), right=two())).node("add")
    assert {key: [(s.node, s.output) for s in binding.sources] for key, binding in node.bindings.items()} == {
        "left": [("one", "result")],
        "right": [("two", "result")],
    }


def test_a_diamond() -> None:
    """An output may feed any number of inputs; the solid that made it runs once."""

    def body() -> None:
        number = show(one())
        add(show.alias("a")(number), show.alias("b")(number))

    result = run(body)
    assert result.output("add") == 2
    assert [event.step for event in result.events_of_kind("step_start")] == ["one", "show", "a", "b", "add"]


def test_outputs_by_name() -> None:
    """Several outputs come back by name."""
    assert run(lambda: show(split().high)).output("show") == 9


def test_outputs_unpacked() -> None:
    """Several outputs come back in the order they were declared, like the namedtuple of 2019."""

    def body() -> None:
        low, high = split()
        add(left=high, right=low)

    assert run(body).output("add") == 10


def test_an_output_that_is_not_there() -> None:
    """Asking for an output the solid does not have is refused, with those it has."""
    assert undefined(lambda: built(lambda: show(split().hgih))) == (
        "`split` has no output `hgih`; it has `low`, `high`.\n  fix: use one of its outputs, or declare it in `outs=`"
    )


def test_fan_in() -> None:
    """A list of outputs passed to one input arrives as a list, in that order."""
    assert run(lambda: total([two(), one(), split().high])).output("total") == [2, 1, 9]


def test_fan_in_of_a_skipped_output() -> None:
    """When one of them stays out, what takes the list is skipped."""

    @solid(outs={"some": Out(int, optional=True)})
    def maybe() -> Any:
        yield from ()

    result = run(lambda: total([one(), maybe()]))
    assert (result.success, statuses(result)["total"]) == (True, "skipped")


def test_aliases_are_uses_of_their_own() -> None:
    """One definition, used twice under two names."""
    result = run(lambda: add(one.alias("first")(), one.alias("second")()))
    assert list(statuses(result)) == ["first", "second", "add"]


def test_aliases_have_config_of_their_own() -> None:
    """Each is configured under its own name."""
    request = {"solids": {"twice": {"config": {"factor": 2}}, "thrice": {"config": {"factor": 3}}}}
    result = run(lambda: scale.alias("thrice")(scale.alias("twice")(one())), request)
    assert (result.output("twice"), result.output("thrice")) == (2, 6)


def test_a_solid_twice_without_alias() -> None:
    """The same name twice in a pipeline is refused."""
    assert undefined(lambda: built(lambda: add(one(), one()))) == (
        "Pipeline `p` uses the name `one` twice.\n  at: p.one\n"
        '  fix: give one of them a name of its own: `one.alias("one_2")`'
    )


def test_nothing_orders() -> None:
    """A dependency of type `Nothing` carries no value, is emitted by itself, and puts one solid after another."""
    order.clear()
    assert run(lambda: follow(act())).output("follow") == "followed"
    assert order == ["act", "follow"]


def test_nothing_is_no_input_of_the_step() -> None:
    """No input event tells of it."""
    assert run(lambda: follow(act())).result_for_solid("follow").events_of_kind("step_input") == []


def test_a_value_may_order() -> None:
    """Any output can feed an input of type `Nothing`."""
    assert run(lambda: follow(one())).success


def test_several_orders() -> None:
    """A list of outputs can feed an input of type `Nothing`."""
    assert run(lambda: follow([act(), one()])).success


def test_nothing_is_no_value() -> None:
    """An output of type `Nothing` cannot feed an input that wants a value."""
    assert undefined(lambda: built(lambda: show(act()))) == (
        "Output `done` of `act` is `Nothing` and carries no value, but input `number` of `show` expects `int`.\n"
        "  at: p.show.number\n"
        "  fix: declare the input as `In(Nothing)`, or give `act` an output with a value"
    )


def test_an_open_input_is_given_in_config() -> None:
    """An input that nothing feeds is read from `solids.<name>.inputs`."""
    assert run(show, {"solids": {"show": {"inputs": {"number": 7}}}}).output("show") == 7


def test_an_open_input_that_config_cannot_give() -> None:
    """It is refused when the pipeline is built."""

    @solid
    def use(thing: Thing) -> None: ...

    assert undefined(lambda: built(use)) == (
        "Input `thing` of `use` is of type `Thing`, which config cannot give, and is not connected to any output.\n"
        "  at: p.use.thing\n"
        "  fix: connect it, as in `use(thing=upstream())`, or give the parameter a default"
    )


def test_an_input_that_is_not_there() -> None:
    """A keyword that is no input is refused, with those there are."""
    assert undefined(lambda: built(lambda: show(nubmer=one()))) == (
        "`show` has no input `nubmer`; its inputs: `number`.\n  at: p.show\n  fix: correct the keyword"
    )


def test_too_many_arguments() -> None:
    """More than the solid has inputs are refused."""
    assert undefined(lambda: built(lambda: show(one(), two()))) == (
        "`show` takes 1 input, got 2 in its call.\n"
        "  at: p.show\n"
        "  fix: `context` and `config` are not passed in a pipeline; remove the surplus arguments"
    )


def test_plain_values_are_not_passed() -> None:
    """Only outputs of other solids can be arguments."""
    assert undefined(lambda: built(lambda: show(3))) == (
        "Input `number` of `show` is given the value 3; in a pipeline only outputs of other solids can be passed.\n"
        "  at: p.show.number\n"
        "  fix: put the value in config (`solids.show.inputs.number`), or return it from a solid"
    )
