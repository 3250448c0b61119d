"""The baseline of inline_chain: the same functions, called one after another. Seconds per call."""

import json
import time

STEPS = 1000


def begin() -> int:
    return 0


def add_one(x: int) -> int:
    return x + 1


started = time.perf_counter()
value = begin()
for _ in range(STEPS - 1):
    value = add_one(value)
seconds = time.perf_counter() - started
assert value == STEPS - 1
print(json.dumps({"per_step_s": seconds / STEPS}))
