"""Composites as 2019 had them: inputs, outputs and config mapped, nested, reused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate import Out, Output, composite_solid, execute_solid, solid
from tests.parity.running import rejected, run, statuses, undefined


class Factor(msgspec.Struct):
    factor: int = 1


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
def scale(config: Factor, number: int) -> int:
    return number * config.factor


@solid(outs={"low": Out(int), "high": Out(int)})
def split() -> Any:
    yield Output(1, "low")
    yield Output(9, "high")


@composite_solid
def sum_of_scaled(left: Any, right: Any) -> Any:
    return add(scale.alias("scale_left")(left), scale.alias("scale_right")(right))


def test_a_composite_maps_its_inputs() -> None:
    """Its parameters are passed on to solids inside."""
    assert run(lambda: sum_of_scaled(one(), two())).output("sum_of_scaled") == 3


def test_steps_of_a_composite_are_named_by_the_way_to_them() -> None:
    """`outer.inner`, the handle of 2019."""
    assert list(statuses(run(lambda: sum_of_scaled(one(), two())))) == [
        "one",
        "two",
        "sum_of_scaled.scale_left",
        "sum_of_scaled.scale_right",
        "sum_of_scaled.add",
    ]


def test_solids_inside_are_configured_through_the_composite() -> None:
    """`solids.outer.solids.inner.config`, as in 2019."""
    request = {"solids": {"sum_of_scaled": {"solids": {"scale_left": {"config": {"factor": 10}}}}}}
    assert run(lambda: sum_of_scaled(one(), two()), request).output("sum_of_scaled") == 12


def test_a_composite_has_several_outputs() -> None:
    """A mapping of names to outputs is returned."""

    @composite_solid
    def both() -> Any:
        return {"small": one(), "large": split().high}

    assert run(lambda: show(both().large)).output("show") == 9


def test_composites_nest() -> None:
    """To any depth, each level a part of the name."""

    @composite_solid
    def middle(number: Any) -> Any:
        return scale(number)

    @composite_solid
    def outer() -> Any:
        return middle(one())

    request = {"solids": {"outer": {"solids": {"middle": {"solids": {"scale": {"config": {"factor": 4}}}}}}}}
    result = run(outer, request)
    assert (result.output("outer"), list(statuses(result))) == (4, ["outer.one", "outer.middle.scale"])


def test_a_composite_under_aliases() -> None:
    """Each use has config of its own."""

    def body() -> None:
        sum_of_scaled.alias("second")(sum_of_scaled.alias("first")(one(), two()), two.alias("two_more")())

    request = {"solids": {"second": {"solids": {"scale_left": {"config": {"factor": 10}}}}}}
    assert run(body, request).output("second") == 32


def masking() -> None:
    @composite_solid(config=Factor, config_fn=lambda config: {"scale": {"config": {"factor": config.factor + 1}}})
    def masked(number: Any) -> Any:
        return scale(number)

    masked(one())


def test_config_of_a_composite_makes_that_of_its_solids() -> None:
    """`config` and `config_fn` map what users write to what the solids inside get."""
    assert run(masking, {"solids": {"masked": {"config": {"factor": 4}}}}).output("masked") == 5


def test_config_that_is_made_cannot_be_written() -> None:
    """What a mapping makes is not open to those outside."""
    request = {"solids": {"masked": {"config": {"factor": 4}, "solids": {"scale": {"config": {"factor": 1}}}}}}
    assert rejected(masking, request) == (
        "`solids.masked.solids.scale.config` is made by `config_fn` of composite `masked`.\n"
        "  at: solids.masked.solids.scale.config\n"
        "  fix: remove it here, and set the composite's own `config`"
    )


@pytest.mark.parametrize(
    ("options", "has", "lacks"),
    [({"config": Factor}, "config", "config_fn"), ({"config_fn": lambda config: {}}, "config_fn", "config")],
    ids=["config alone", "config_fn alone"],
)
def test_both_or_neither(options: dict[str, Any], has: str, lacks: str) -> None:
    """`config` without `config_fn`, or the other way round, is refused."""

    def body() -> None:
        one()

    assert undefined(lambda: composite_solid(**options)(body)) == (
        f"Composite `body` has `{has}` but no `{lacks}`.\n"
        "  fix: declare both: `config=` is what users write, `config_fn=` makes the config of the solids inside from it"
    )


def test_an_open_input_inside_a_composite() -> None:
    """Is given where its solid stands."""
    request = {"solids": {"sum_of_scaled": {"solids": {"scale_right": {"inputs": {"number": 5}}}}}}
    assert run(lambda: sum_of_scaled(left=one()), request).output("sum_of_scaled") == 6


def test_a_composite_runs_alone() -> None:
    """`execute_solid` takes it like any solid."""
    assert execute_solid(sum_of_scaled, inputs={"left": 1, "right": 2}).output() == 3


def test_a_result_of_a_composite() -> None:
    """It succeeds when what is inside does, and tells the events of all of it."""
    result = run(lambda: sum_of_scaled(one(), two())).result_for_solid("sum_of_scaled")
    assert result.success
    assert {event.step for event in result.events} == {
        f"sum_of_scaled.{inner}" for inner in ("scale_left", "scale_right", "add")
    }


def test_a_composite_without_outputs() -> None:
    """Its body may return nothing."""

    @composite_solid
    def quiet(number: int) -> None:
        show(number)

    assert (quiet.outputs, run(lambda: quiet(one())).output("quiet.show")) == ((), 1)
