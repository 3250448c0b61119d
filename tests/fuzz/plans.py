"""Target: an object, or a shipped file, where a plan should be."""

from __future__ import annotations

import msgspec

from solidstate.handler.end import summarise_step
from solidstate.planner.plan import decode_plan, encode_plan, plan_hash
from tests.fuzz.draws import Draws
from tests.fuzz.pipelines import WORDS, runtime

VALID = runtime().pipelines["shop"].encoded


def body_of(data: bytes) -> bytes:
    """Bytes as they come, or the plan of a pipeline with parts of it changed."""
    draws = Draws(data)
    if draws.number(2):
        return draws.rest()
    words = (*WORDS, "name", "steps", "inputs", "outputs", "sources", "output", "fan_in", "config", "map_over")
    try:
        return msgspec.json.encode(draws.changed(msgspec.json.decode(VALID), words, json=True))
    except (UnicodeEncodeError, RecursionError, OverflowError, ValueError):
        return b"{}"


def check(data: bytes) -> None:
    try:
        plan = decode_plan(body_of(data))
    except msgspec.MsgspecError:  # as it says
        return
    assert decode_plan(encode_plan(plan)) == plan
    assert len(plan_hash(plan)) == 16
    for step in plan.steps:
        summarise_step(step, [])
