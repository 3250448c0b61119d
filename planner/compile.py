"""Execution plan -> Amazon States Language: nest, fit, emit, and prove that the result keeps the quotas.

Any acyclic graph compiles: what cannot be nested has rendezvous (``planner.embed``), what does not fit into one machine
is divided into several (``planner.fit``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

from solidstate.errors import CompileError, Errors
from solidstate.planner.emit import Emitted, emit
from solidstate.planner.fit import FORK_BYTES, Weight, fit
from solidstate.planner.history import events_of
from solidstate.planner.limits import MAX_DEFINITION_BYTES
from solidstate.planner.map_states import RegionNames, region_states
from solidstate.planner.nest import Nest, meetings_in, nest_of
from solidstate.planner.plan import ExecutionPlan, OutputRef
from solidstate.planner.quotas import Sized, check_quotas
from solidstate.planner.regions import Region
from solidstate.planner.states import FUNCTION, deployed_bytes, encode_machine, machine_arn
from solidstate.planner.step_states import COMMENT_LENGTH, Meeting, Scope, StepNames, Way, gate_task, step_states
from solidstate.planner.terse import terse
from solidstate.planner.tree import Gate, Leaf, Nested, Tree, nodes

READABLE_BELOW = MAX_DEFINITION_BYTES * 6 // 10
"""A definition of more bytes than this is not laid out for people: it would not fit."""
MAX_MAPPED_EVENTS = 12_000
"""Of one Map in the history of the execution it is in; a region with more gives each item a history of its own."""
_FUNCTIONS = re.compile(rb'"\$\{\w*FunctionArn\}"')
"""The placeholders of all functions (see ``planner.states.function_arn``)."""
_ONWARD = Way("a state of about this name's length")


class Part(msgspec.Struct, frozen=True):
    """A machine that the pipeline's own machine starts as a nested execution, because all does not fit into one.

    ``name`` is unique in the pipeline; other definitions start it by the substitution ``${<name>Arn}``. Parts come in
    an order in which they can be made: each after those it starts. ``item``: it is run for one item of a Map."""

    name: str
    definition: bytes
    item: bool = False


class Compiled(msgspec.Struct, frozen=True):
    """The definition of a pipeline's machine, UTF-8 JSON, and of the parts it starts."""

    definition: bytes
    parts: tuple[Part, ...] = ()


def compile_plan(plan: ExecutionPlan, seconds: Mapping[str, float] | None = None) -> Compiled:
    """The state machine of ``plan``, the same bytes for the same plan and estimates.

    Laid out for people, or without white space when only that fits into the quota. ARNs are left open (see
    :func:`substitute`). ``seconds`` are estimates of how long each step takes, a mapped one for all of its items; they
    change what parks, never what waits for what. Raises :class:`Errors` with every :class:`CompileError` when the plan
    cannot be deployed.
    """
    own, *parts = build_machines(plan, seconds)
    definition = _encoded(own)
    compiled = Compiled(definition, tuple(Part(one.name, _encoded(one), one.item) for one in reversed(parts)))
    machines = [Sized(f"`{plan.pipeline}`", definition, own.machine.states)]
    for one, part in zip(reversed(parts), compiled.parts, strict=True):
        machines.append(Sized(f"{part.name} of `{plan.pipeline}`", part.definition, one.machine.states, item=one.item))
    problems = check_quotas(plan, machines)
    if problems:
        raise Errors(f"pipeline `{plan.pipeline}` does not fit into Step Functions", problems)
    return compiled


def substitute(definition: bytes, function_arn: str, parts: Mapping[str, str] | None = None) -> bytes:
    """``definition`` calling the one function ``function_arn``, whatever groups there are, and starting the machines of
    ``parts`` (ARNs by name), as CloudFormation does it with DefinitionSubstitutions."""
    called = msgspec.json.encode(function_arn)
    found = _FUNCTIONS.sub(lambda _: called, definition)
    for name, arn in (parts or {}).items():
        found = found.replace(msgspec.json.encode(machine_arn(name)), msgspec.json.encode(arn))
    if found == definition:
        raise CompileError(
            f"A compiled definition names its function as `{FUNCTION}`, but this one does not contain it.",
            hint="compile the pipeline again with `solidstate compile`",
        )
    return found


def build_machines(plan: ExecutionPlan, seconds: Mapping[str, float] | None = None) -> list[Emitted]:
    """The machines of ``plan`` as structs, the pipeline's own first, before any quota is checked."""
    if not plan.steps:
        raise CompileError(f"Pipeline `{plan.pipeline}` has no steps, so there is nothing to compile.")
    nest, brief = _fitted_nest(plan, seconds)
    machines = emit(plan, nest)
    if not brief:
        return machines
    steps = {step.name: step for step in plan.steps}
    return [
        Emitted(
            one.name,
            msgspec.structs.replace(one.machine, states=terse(one.machine.states, steps)),
            one.item,
            brief=True,
        )
        for one in machines
    ]


def machine_nest(plan: ExecutionPlan, seconds: Mapping[str, float] | None = None) -> Nest:
    """The nest that :func:`compile_plan` writes down, with its parts: for whatever shows a plan to people."""
    return _fitted_nest(plan, seconds)[0]


def _fitted_nest(plan: ExecutionPlan, seconds: Mapping[str, float] | None) -> tuple[Nest, bool]:
    """The nest of ``plan``, fitted, and whether its states are to be written in few words: where there are parts."""
    nest = nest_of(plan, seconds)
    brief = fitted(plan, nest, brief=True)
    if not _has_parts(brief):
        whole = fitted(plan, nest, brief=False)
        if not _has_parts(whole):
            return whole, False
    return brief, True


def _has_parts(nest: Nest) -> bool:
    return any(isinstance(node, Nested) for tree in (nest.tree, *nest.inside.values()) for node in nodes(tree))


def fitted(plan: ExecutionPlan, nest: Nest, *, brief: bool) -> Nest:
    """The nest with parts moved into nested executions where one machine would not do. ``brief``: states will have no
    comments of ours."""
    weigher = _Weigher(plan, nest, brief=brief)
    name = _part_names()
    inside: dict[str, Tree] = {}
    regions = dict(nest.regions)
    for unit, tree in nest.inside.items():
        inside[unit], inner = fit(tree, weigher.of(tree), name, fork_bytes=weigher.fork_bytes)
        weigher.inside[unit] = inner
        if regions[unit].max_items * inner.events > MAX_MAPPED_EVENTS:
            regions[unit] = msgspec.structs.replace(regions[unit], listed=True)
    weigher.regions = regions
    tree, _ = fit(nest.tree, weigher.of(nest.tree), name, fork_bytes=weigher.fork_bytes)
    return Nest(tree, regions, inside)


class _Weigher:
    """What single leaves take of a machine: their states, written out and counted. ``inside`` is filled as the trees
    inside of regions are fitted."""

    def __init__(self, plan: ExecutionPlan, nest: Nest, *, brief: bool) -> None:
        self._steps = {step.name: step for step in plan.steps}
        self._items_of = {
            OutputRef(step.name, out.name): out.max_items for step in plan.steps for out in step.outputs if out.dynamic
        }
        self._nest = nest
        self.regions = nest.regions
        self._brief = brief
        self.fork_bytes = FORK_BYTES if brief else FORK_BYTES + COMMENT_LENGTH
        self.inside: dict[str, Weight] = {}

    def of(self, tree: Tree) -> Callable[[Leaf | Gate], Weight]:
        """A function for the leaves of one tree."""
        meetings = meetings_in(tree, self._nest)

        def weigh(leaf: Leaf | Gate) -> Weight:
            if isinstance(leaf, Gate):
                return self._weight({f"wait before {leaf.step}": gate_task(leaf.step, leaf.waits, _ONWARD, item=False)})
            meeting = meetings.get(leaf.step, Meeting())
            if leaf.step in self.regions:
                return self._region(self.regions[leaf.step], meeting)
            step = self._steps[leaf.step]
            failed = f"{step.name} failed" if meeting.wakes else ""
            return self._weight(step_states(step, StepNames(step.name, f"{step.name} woken", failed), meeting, _ONWARD))

        return weigh

    def _region(self, region: Region, meeting: Meeting) -> Weight:
        name = region.name
        names = RegionNames(name, f"{name} each", f"{name} woken", f"{name} ended" if meeting.wakes else "")
        own = self._weight(region_states(region, names, meeting, _ONWARD, ("", {})))
        inner = self.inside[name]
        count = 0 if region.listed else region.max_items
        return Weight(own.size + inner.size, own.events + count * inner.events, inner.height)

    def _weight(self, states: Scope) -> Weight:
        written = terse(states, self._steps) if self._brief else states
        return Weight(deployed_bytes(msgspec.json.encode(written)), events_of(states, self._items_of))


def _part_names() -> Callable[[], str]:
    made: list[str] = []

    def name() -> str:
        made.append(f"Part{len(made) + 1}")
        return made[-1]

    return name


def _encoded(one: Emitted) -> bytes:
    compact = encode_machine(one.machine, readable=False)
    if one.brief or len(compact) > READABLE_BELOW:
        return compact
    readable = encode_machine(one.machine)
    return readable if deployed_bytes(readable) <= MAX_DEFINITION_BYTES else compact
