"""The execution plan: what will run, in which order, fed by what. Names only, JSON both ways.

A plan never holds a function, a clock reading or a random id: it is made from a pipeline by ``planner.build``, shipped
beside the code, and compared by its hash. The step handler reads it; the compiler turns it into a state machine.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

PLAN_VERSION = 1

# `gc=False` below: what holds nothing but names and numbers cannot be part of a cycle, and plans have many of them.


class OutputRef(msgspec.Struct, frozen=True, order=True, gc=False):
    """One output of one step."""

    step: str
    output: str


class StepInput(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where one input of a step comes from.

    ``output``: the single ref in ``sources``. ``fan_in``: a list with one element per ref, in order. ``config``: the
    run request's ``inputs`` (or the parameter's default when ``has_default``). ``item``: of the single ref the value
    that belongs to the item the step is run for. ``collect``: of the single ref, a dynamic output or one of a mapped
    step, the values of all items. An input with ``nothing`` orders and carries no value.
    """

    name: str
    kind: Literal["output", "fan_in", "config", "item", "collect"]
    sources: tuple[OutputRef, ...] = ()
    type: str = "Any"
    nothing: bool = False
    has_default: bool = False


class StepOutput(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One declared output of a step; ``optional`` ones may stay out, which skips everything downstream of them. A
    ``dynamic`` one has up to ``max_items`` items."""

    name: str
    type: str = "Any"
    optional: bool = False
    nothing: bool = False
    description: str = ""
    dynamic: bool = False
    max_items: int = 1


class Retry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How often and how patiently a failed attempt is repeated. Times in seconds."""

    max_attempts: int = 1
    delay_s: int = 1
    backoff: float = 2.0
    max_delay_s: int | None = None
    jitter: bool = False


class StepCompute(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the step's Lambda needs: memory in MiB, time in seconds, ephemeral storage in MiB."""

    memory_mb: int = 1024
    timeout_s: int = 900
    ephemeral_mb: int = 512


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One solid invocation. ``name`` is unique in the plan; ``solid`` is the definition it runs. With ``map_over`` it
    is run once for each item of that dynamic output. ``group`` names the function that runs it, when that is not the
    step function (see ``planner.groups``)."""

    name: str
    solid: str
    inputs: tuple[StepInput, ...] = ()
    outputs: tuple[StepOutput, ...] = ()
    description: str = ""
    resources: tuple[str, ...] = ()
    retry: Retry | None = None
    compute: StepCompute = StepCompute()
    tags: dict[str, str] = {}
    map_over: OutputRef | None = None
    group: str = ""

    def upstream(self) -> tuple[str, ...]:
        """Distinct steps this one waits for, in order of first mention."""
        return tuple(dict.fromkeys(ref.step for inp in self.inputs for ref in inp.sources))

    def output(self, name: str) -> StepOutput:
        for out in self.outputs:
            if out.name == name:
                return out
        raise KeyError(name)


class ExecutionPlan(msgspec.Struct, frozen=True):
    """All steps of a pipeline in a fixed topological order (definition order among equals)."""

    pipeline: str
    steps: tuple[Step, ...]
    description: str = ""
    version: int = PLAN_VERSION

    def step(self, name: str) -> Step:
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


def encode_plan(plan: ExecutionPlan) -> bytes:
    """Canonical JSON: the same plan gives the same bytes."""
    return msgspec.json.encode(plan, order="deterministic")


def decode_plan(data: bytes) -> ExecutionPlan:
    """Inverse of :func:`encode_plan`; raises ``msgspec.MsgspecError`` on anything else."""
    try:
        return msgspec.json.decode(data, type=ExecutionPlan)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


def plan_hash(plan: ExecutionPlan) -> str:
    """16 hex digits that change when the plan does; not when only code inside solids does."""
    return hash_of_encoded(encode_plan(plan))


def hash_of_encoded(plan: bytes) -> str:
    """The same, of what :func:`encode_plan` has made."""
    return hashlib.sha256(plan).hexdigest()[:16]
