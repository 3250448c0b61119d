"""The same pipeline with other resources."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate import DefinitionError, Mode, Preset, pipeline, resource, solid
from solidstate.planner.build import build_plan
from solidstate.planner.plan import plan_hash
from solidstate.request import resolve_request
from solidstate.stubs import with_resources


class Zone(msgspec.Struct):
    """Config of the clock."""

    zone: str


@resource
def clock(config: Zone, base: int) -> str:
    """Needs another resource."""
    return f"{config.zone}{base}"


@solid(resources={"clock"})
def look(context: Any) -> str:
    """Asks."""
    return str(context.resources.clock)


@pipeline(
    modes=[Mode("local", resources={"clock": "now", "extra": 1}), Mode("prod", resources={"clock": clock, "base": 1})],
    presets=[
        Preset(
            "prod", mode="prod", run_config={"resources": {"clock": {"config": {"zone": "CET"}}}, "tags": {"a": "b"}}
        )
    ],
)
def timely() -> None:
    """One step."""
    look()


def test_nothing_given_is_the_pipeline_itself() -> None:
    """Not a copy."""
    assert with_resources(timely, None) is timely
    assert with_resources(timely, {}) is timely


def test_a_stub_is_in_every_mode_that_has_the_key() -> None:
    """Other resources stay, the plan stays, and the pipeline that was given does."""
    stubbed = with_resources(timely, {"clock": 5, "extra": 2})
    assert [sorted(mode.resources) for mode in stubbed.modes] == [["clock", "extra"], ["base", "clock"]]
    assert [mode.resources["clock"].fn() for mode in stubbed.modes] == [5, 5]
    assert plan_hash(build_plan(stubbed)) == plan_hash(build_plan(timely))
    assert timely.mode("prod").resources["clock"] is clock


def test_presets_do_not_configure_a_stub_that_takes_no_config() -> None:
    """The rest of them holds; a stub that takes config is given it."""
    assert resolve_request(with_resources(timely, {"clock": 5}), {"preset": "prod"}).resources == {}
    assert resolve_request(with_resources(timely, {"clock": 5}), {"preset": "prod"}).tags == {"a": "b"}

    @resource
    def other(config: Zone) -> str:
        return config.zone

    request = resolve_request(with_resources(timely, {"clock": other}), {"preset": "prod"})
    assert request.resources == {"clock": {"config": {"zone": "CET"}}}


def test_what_is_no_stub_is_refused() -> None:
    """Keys no mode has, what is no mapping, and stubs that need what the mode lacks."""
    with pytest.raises(DefinitionError) as key:
        with_resources(timely, {"clok": 1})
    assert str(key.value) == (
        "Pipeline `timely` has no resource 'clok'; it has `clock`, `extra`, `base`.\n  fix: did you mean `clock`?"
    )
    with pytest.raises(DefinitionError) as mapping:
        with_resources(timely, [clock])  # type: ignore[arg-type]  # that is the point
    assert str(mapping.value).startswith("`resources` must map keys to resources, got [")
    with pytest.raises(DefinitionError) as lacking:
        with_resources(timely, {"clock": clock})
    assert str(lacking.value) == (
        "Pipeline `timely` with these resources: Resource `base` is required by resource `clock`, but mode `local` "
        "does not provide it.\n"
        "  at: timely.modes.local\n"
        '  fix: add it: `Mode("local", resources={"base": ...})`'
    )
