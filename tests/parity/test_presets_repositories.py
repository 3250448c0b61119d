"""Presets and repositories, as in 2019."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from solidstate import Mode, Preset, solid
from solidstate.errors import TargetError
from solidstate.load import load_module, load_pipeline, pipelines_in
from tests.parity.running import built, rejected, run, statuses, undefined


class Limit(msgspec.Struct):
    limit: int = 1
    unit: str = "rows"


@solid(resources={"db"})
def query(context: Any) -> Any:
    return context.resources.db


@solid
def take(config: Limit) -> str:
    return f"{config.limit} {config.unit}"


PRESETS = [
    Preset("small", mode="test", run_config={"solids": {"take": {"config": {"limit": 3, "unit": "days"}}}}),
    Preset("first", mode="live", run_config={"steps": "query"}),
]
MODES = [Mode("test", {"db": "fake"}), Mode("live", {"db": "real"})]


def both() -> None:
    take()
    query()


def test_a_preset_is_a_request() -> None:
    """Its mode and its config are used."""
    result = run(both, {"preset": "small"}, modes=MODES, presets=PRESETS)
    assert (result.output("take"), result.output("query"), result.summary.preset) == ("3 days", "fake", "small")


def test_a_request_goes_over_its_preset() -> None:
    """Field by field: 2019 took a preset as a whole or not at all."""
    request = {"preset": "small", "mode": "live", "solids": {"take": {"config": {"limit": 4}}}}
    result = run(both, request, modes=MODES, presets=PRESETS)
    assert (result.output("take"), result.output("query")) == ("4 days", "real")


def test_a_preset_may_select_solids() -> None:
    """`solid_subset` is `steps` in its request."""
    assert statuses(run(both, {"preset": "first"}, modes=MODES, presets=PRESETS)) == {
        "take": "not selected",
        "query": "success",
    }


def test_an_unknown_preset() -> None:
    """Is refused, with the nearest name."""
    assert rejected(both, {"preset": "smal", "mode": "test"}, modes=MODES, presets=PRESETS) == (
        "There is no preset 'smal'.\n  at: preset\n  fix: did you mean `small`?"
    )


def test_a_preset_of_an_unknown_mode() -> None:
    """Is refused when the pipeline is built."""
    assert undefined(lambda: built(take, presets=[Preset("small", mode="tset")])) == (
        "Preset `small` is for mode `tset`, but pipeline `p` has the modes `default`.\n"
        "  at: p.presets.small\n"
        "  fix: correct the mode's name"
    )


def test_a_broken_preset_is_told_when_it_is_used() -> None:
    """Its config is checked like any request."""
    presets = [Preset("bad", run_config={"solids": {"take": {"config": {"limit": "x"}}}})]
    assert rejected(take, {"preset": "bad"}, presets=presets).startswith("Expected `int`, got 'x' of type `str`.\n")


MODULE = """
from solidstate import pipeline, solid

@solid
def one():
    return 1

@pipeline
def first():
    one()

@pipeline
def second():
    one()
"""


@pytest.fixture(autouse=True)
def same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What loading a file puts on the path is gone afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])


def test_a_module_is_a_repository(tmp_path: Path) -> None:
    """2019 listed pipelines in a `RepositoryDefinition` and a YAML file; here a module is the list."""
    path = tmp_path / "parity_repository.py"
    path.write_text(MODULE)
    assert load_pipeline(f"{path}:second").name == "second"
    assert list(pipelines_in(load_module(str(path)))) == ["first", "second"]


def test_an_unknown_pipeline(tmp_path: Path) -> None:
    """Is refused, with the nearest name."""
    path = tmp_path / "parity_other_repository.py"
    path.write_text(MODULE)
    with pytest.raises(TargetError) as caught:
        load_pipeline(f"{path}:secnd")
    assert str(caught.value).removeprefix(f"`{path}`") == (
        f" has no pipeline `secnd`.\n  fix: did you mean `{path}:second`?"
    )
