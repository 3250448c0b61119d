"""50 trivial solids in a chain on moto, definition and handler as deployed: seconds per step, Start and End run
included, opening the local AWS left out."""

import json
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from solidstate import pipeline_from_dependencies, solid
from solidstate.events import AnyEvent, RunStart, RunSuccess
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local

STEPS = 50


@solid
def begin() -> int:
    return 0


@solid
def add_one(x: int) -> int:
    return x + 1


names = ["begin", *(f"s{number}" for number in range(1, STEPS))]
chain = pipeline_from_dependencies(
    "chain",
    [begin, *(add_one.alias(name) for name in names[1:])],
    {name: {"x": before} for before, name in pairwise(names)},
)
marks: dict[str, float] = {}


def watch(event: AnyEvent) -> None:
    if isinstance(event, RunStart):
        marks.setdefault("start", time.perf_counter())
    if isinstance(event, RunSuccess):
        marks["end"] = time.perf_counter()


with tempfile.TemporaryDirectory() as folder:
    summary = run_local(chain, {}, engine="moto", home=Home(Path(folder)), run_id="bench", observer=watch)
assert summary.status == "success"
print(json.dumps({"per_step_s": (marks["end"] - marks["start"]) / STEPS}))
