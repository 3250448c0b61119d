"""Definitions become plans: names only, the same in every process, whatever order sets have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from solidstate import (
    Compute,
    In,
    Mode,
    Nothing,
    Out,
    RetryPolicy,
    SolidType,
    pipeline,
    pipeline_from_dependencies,
    solid,
)
from solidstate.planner.build import build_plan
from solidstate.planner.plan import encode_plan, plan_hash

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "plan" / "everything.plan.json"


class Flight(msgspec.Struct):
    number: int


class Config(msgspec.Struct):
    path: str


@solid(
    retry=RetryPolicy(max_attempts=4, delay_s=2, backoff=1.5, max_delay_s=60, jitter=True),
    compute=Compute(memory_mb=2048, timeout_s=60, ephemeral_mb=1024),
    resources={"clock", "bucket", "database", "mail"},
    tags={"team": "ops", "cost": "low"},
)
def read(context: Any, config: Config, limit: int, kind: Literal["a", "b"] = "a") -> list[Flight]:
    """Reads them."""
    return []


@solid(outs={"late": Out(list[Flight], "Too late."), "rest": Out(optional=True), "done": Out(Nothing)})
def split(flights: Annotated[list[Flight], SolidType("Flights")], threshold: int | None = None) -> Any: ...


@solid(ins={"after": In(Nothing)})
def report(tables: list[list[Flight]]) -> str:
    return ""


@pipeline(modes=[Mode("m", dict.fromkeys(["clock", "bucket", "database", "mail"], 1))], tags={"a": "b"})
def everything() -> None:
    """One of each."""
    late, rest, done = split(read())
    report([late, rest], after=done)
    report.alias("again")([late], after=[done, late])


def test_the_plan_is_the_golden_one() -> None:
    """Every kind of input, output and policy, as people read it; ``UPDATE_GOLDEN=1`` rewrites the file."""
    text = json.dumps(json.loads(encode_plan(build_plan(everything))), indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(text)
    assert GOLDEN.read_text() == text


def test_modes_and_config_are_no_part_of_it() -> None:
    """The same solids in other modes give the same plan."""
    other = pipeline_from_dependencies("p", [report_free()], {}, modes=[Mode("x", {"clock": 1})])
    again = pipeline_from_dependencies("p", [report_free()], {})
    assert build_plan(other) == build_plan(again)


def report_free() -> Any:
    return solid(name="free")(lambda: 1)


def test_the_hash_is_the_same_in_every_process() -> None:
    """Neither the order of sets nor the address of an object enters it."""
    script = (
        "import runpy; from solidstate.planner.build import build_plan; from solidstate.planner.plan import plan_hash;"
        f"print(plan_hash(build_plan(runpy.run_path({__file__!r})['everything'])))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("0", "1", "4242")
    }
    assert hashes == {plan_hash(build_plan(everything))}


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    names = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:number]), unique=True, max_size=3)) if number else []
        for number, name in enumerate(names)
    }


@given(graphs(), st.randoms(use_true_random=False))
def test_every_step_follows_what_it_reads(graph: dict[str, list[str]], chance: Any) -> None:
    """Whatever order solids are given in, sources come first, and each step keeps its own sources in order."""
    names = list(graph)
    chance.shuffle(names)
    nodes = [solid(name=name)(gather) if graph[name] else solid(name=name)(alone) for name in names]
    made = pipeline_from_dependencies("p", nodes, {name: {"values": up} for name, up in graph.items() if up})
    plan = build_plan(made)
    order = [step.name for step in plan.steps]
    assert sorted(order) == sorted(names)
    for step in plan.steps:
        assert list(step.upstream()) == graph[step.name]
        assert all(order.index(up) < order.index(step.name) for up in graph[step.name])


def gather(values: list[int]) -> int:
    return sum(values)


def alone() -> int:
    return 1


def test_a_plan_holds_names_only() -> None:
    """Nothing in it is an object of the user's: it is what its JSON says."""
    plan = build_plan(everything)
    assert msgspec.json.decode(encode_plan(plan), type=type(plan)) == plan
    assert all(
        type(value) in (str, int, float, bool, list, dict, type(None)) for value in _leaves(msgspec.to_builtins(plan))
    )


def _leaves(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else None
    return [value] if inner is None else [leaf for one in inner for leaf in _leaves(one)]
