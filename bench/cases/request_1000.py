"""Validate a run request that configures 1,000 solids: seconds for one, the first and those after it."""

import itertools
import json
import time

import msgspec

from solidstate import Secret, Selector, pipeline_from_dependencies, solid
from solidstate.request import resolve_request

STEPS = 1000


class Csv(msgspec.Struct):
    """A file."""

    path: str
    comma: str = ","


class Source(Selector):
    """One of two."""

    csv: Csv | None = None
    empty: bool | None = None


class Config(msgspec.Struct):
    """What each solid takes."""

    source: Source
    token: Secret
    limit: int = 10
    names: list[str] = []


@solid
def begin(config: Config) -> int:
    return 0


@solid
def follow(x: int, config: Config, times: int = 1) -> int:
    return x


names = ["begin", *(f"s{number}" for number in range(1, STEPS))]
chain = pipeline_from_dependencies(
    "chain",
    [begin, *(follow.alias(name) for name in names[1:])],
    {name: {"x": before} for before, name in itertools.pairwise(names)},
)
config = {"source": {"csv": {"path": "a"}}, "token": {"env": "TOKEN"}, "limit": 3, "names": ["a", "b"]}
request = {"solids": {name: {"config": config} for name in names}}
times = []
for _ in range(4):
    started = time.perf_counter()
    resolved = resolve_request(chain, request)
    times.append(time.perf_counter() - started)
    assert len(resolved.solids) == STEPS
print(json.dumps({"first_s": times[0], "again_s": min(times[1:])}))
