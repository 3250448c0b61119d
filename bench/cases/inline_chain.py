"""1,000 trivial solids in a chain through the inline engine, everything in memory: seconds per step."""

import json
import time
from itertools import pairwise

from solidstate import execute_pipeline, pipeline_from_dependencies, solid

STEPS = 1000


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
started = time.perf_counter()
result = execute_pipeline(chain)
seconds = time.perf_counter() - started
assert result.output(names[-1]) == STEPS - 1
print(json.dumps({"per_step_s": seconds / STEPS}))
