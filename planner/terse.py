"""Definitions in few words, for pipelines that do not fit into one machine otherwise.

What we say of a state beside its name is left out; what its author says (the description of the solid) stays. Payloads
still name who waits for whom.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from solidstate.planner.plan import Step
from solidstate.planner.states import Map, Parallel, State, Task, payload_of
from solidstate.planner.step_states import Scope, comment_of


def terse(states: Mapping[str, State], steps: Mapping[str, Step]) -> Scope:
    """The same states without comments of ours. Recursion is bounded by the nesting of Parallels and Maps."""
    return {name: _terse(state, steps) for name, state in states.items()}


def _terse(state: State, steps: Mapping[str, Step]) -> State:
    if isinstance(state, Task):
        payload = payload_of(state)
        told = comment_of(steps[payload["step"]].description) if payload.get("kind") == "step" else ""
        return msgspec.structs.replace(state, comment=told or UNSET)
    if isinstance(state, Parallel):
        branches = tuple(
            msgspec.structs.replace(branch, states=terse(branch.states, steps)) for branch in state.branches
        )
        return msgspec.structs.replace(state, comment=UNSET, branches=branches)
    if isinstance(state, Map):
        inside = msgspec.structs.replace(state.item_processor, states=terse(state.item_processor.states, steps))
        return msgspec.structs.replace(state, comment=UNSET, item_processor=inside)
    return state
