"""The last pass: a nested plan becomes state machines.

Every step is a Task of its own name that calls the one Lambda function. A failed step is caught and the machine goes
on: later steps find no commit of it and record that they are skipped, and End run fails the execution with the names of
the failed steps. So no branch ever fails, and no failure stops its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from solidstate.errors import name_list
from solidstate.planner import contract, run_states
from solidstate.planner import names as own
from solidstate.planner.map_states import RegionNames, region_states
from solidstate.planner.nest import Nest, meetings_in
from solidstate.planner.plan import ExecutionPlan, Step, plan_hash
from solidstate.planner.regions import Region
from solidstate.planner.retries import NESTED_SERVICE
from solidstate.planner.states import START_EXECUTION, Branch, Machine, Parallel, Task, machine_arn
from solidstate.planner.step_states import Meeting, Scope, StepNames, Way, comment_of, gate_task, step_states
from solidstate.planner.tree import Gate, Leaf, Nested, Sequence, Tree, first_step, size
from solidstate.planner.tree import Parallel as Fork

MAX_JOINED_BYTES = 200 * 1024
"""What the branches of one Parallel may hand over together; the service refuses more than 262,144 bytes."""


class Emitted(msgspec.Struct, frozen=True):
    """One machine. ``name`` is empty for the pipeline's own; ``item``: it is run for one item of a Map; ``brief``: it
    is written in few words and without white space, because it is one of several or would not fit otherwise."""

    name: str
    machine: Machine
    item: bool = False
    brief: bool = False


def emit(plan: ExecutionPlan, nest: Nest) -> list[Emitted]:
    """The machines of a nest whose parts were fitted, the pipeline's own first."""
    return _Emitter(plan, nest).machines()


class _Place(msgspec.Struct, frozen=True):
    """Where states are written: in the outer tree, or for one item of ``region``."""

    meetings: Mapping[str, Meeting]
    region: Region | None = None


class _Emitter:
    """Writes one plan's states. States of a branch go into that branch's own scope, in reading order."""

    def __init__(self, plan: ExecutionPlan, nest: Nest) -> None:
        self._plan = plan
        self._nest = nest
        self._pool, self._state_of = own.pool_for(plan)
        self._steps: Mapping[str, Step] = {step.name: step for step in plan.steps}
        for name, region in nest.regions.items():
            self._state_of[name] = self._pool.take(
                f"{region.over.output} of {region.over.step} for {region.steps[0].name}"
            )
        self._parts: list[tuple[Nested, _Place]] = []

    def machines(self) -> list[Emitted]:
        place = _Place(meetings_in(self._nest.tree, self._nest))
        machines = [Emitted("", self._own_machine(place))]
        for part, where in self._parts:  # grows meanwhile: parts have parts
            machines.append(Emitted(part.name, self._part_machine(part, where), item=where.region is not None))
        return machines

    def _own_machine(self, place: _Place) -> Machine:
        tree = self._nest.tree
        scope: Scope = {}
        entry = self._entry(tree, None)
        scope[own.START_RUN] = run_states.start_run(self._plan.pipeline, plan_hash(self._plan), entry)
        self._emit(tree, entry, Way(own.END_RUN), scope, place, after=None)
        scope[own.END_RUN] = run_states.end_run()
        scope.update(run_states.endings())
        description = comment_of(self._plan.description)
        title = f"solidstate pipeline {self._plan.pipeline}"
        return Machine(
            comment=f"{title}: {description}" if description else title, start_at=own.START_RUN, states=scope
        )

    def _part_machine(self, part: Nested, place: _Place) -> Machine:
        scope: Scope = {}
        entry = self._entry(part.body, None)
        self._emit(part.body, entry, Way(), scope, place, after=None)
        title = f"solidstate pipeline {self._plan.pipeline}, {self._part_title(part)}"
        return Machine(comment=comment_of(title), start_at=entry, states=scope)

    def _entry(self, tree: Tree, after: str | None) -> str:
        """The name of the state that ``tree`` begins with; taken from the pool when it is not a step's own."""
        first = tree.parts[0] if isinstance(tree, Sequence) else tree
        if isinstance(first, Leaf):
            return self._state_of[first.step]
        if isinstance(first, Gate):
            return self._pool.take(f"wait before {first.step}")
        if isinstance(first, Nested):
            return self._pool.take(self._part_title(first))
        if not isinstance(first, Fork):
            raise TypeError(f"nothing begins with a {type(first).__name__}")
        count = f"{len(first.branches)} branches"
        return self._pool.take(f"{count} after {after}" if after else f"{count} - {first_step(first)} and others")

    def _part_title(self, part: Nested) -> str:
        steps = size(part.body)
        return f"part {first_step(part.body)} and {steps - 1} more" if steps > 1 else f"part {first_step(part.body)}"

    def _emit(self, tree: Tree, entry: str, way: Way, scope: Scope, place: _Place, *, after: str | None) -> None:
        """Write the states of ``tree``, beginning with ``entry``. ``after`` is the step before it, if it is one."""
        parts = tree.parts if isinstance(tree, Sequence) else (tree,)
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            onward = way if last else Way(self._entry(parts[number + 1], after=_step_name(part)))
            self._emit_part(part, entry, onward, scope, place, after=after)
            after = _step_name(part)
            entry = onward.following or entry

    def _emit_part(self, part: Tree, entry: str, way: Way, scope: Scope, place: _Place, *, after: str | None) -> None:
        if isinstance(part, Leaf) and part.step in self._nest.regions:
            scope.update(self._region(self._nest.regions[part.step], way, place))
        elif isinstance(part, Leaf):
            scope.update(self._step(self._steps[part.step], way, place))
        elif isinstance(part, Gate):
            waits = tuple(self._nest.known(unit) for unit in part.waits)
            scope[entry] = gate_task(self._nest.known(part.step), waits, way, item=place.region is not None)
        elif isinstance(part, Nested):
            scope[entry] = self._nested(part, way, place)
        elif isinstance(part, Fork):
            firsts = name_list([first_step(branch) for branch in part.branches], limit=4)
            comment = f"{len(part.branches)} branches{f' after `{after}`' if after else ''}: from {firsts}"
            joined = len(part.branches) * contract.MAX_DIGEST_BYTES <= MAX_JOINED_BYTES
            scope[entry] = Parallel(
                comment=comment_of(comment),
                branches=tuple(self._branch(branch, Way(joined=joined), place, after) for branch in part.branches),
                result_path=None,
                **Way(way.following).onward(),
            )

    def _branch(self, tree: Tree, way: Way, place: _Place, after: str | None) -> Branch:
        scope: Scope = {}
        entry = self._entry(tree, after)
        self._emit(tree, entry, way, scope, place, after=after)
        return Branch(start_at=entry, states=scope)

    def _step(self, step: Step, way: Way, place: _Place) -> Scope:
        meeting = place.meetings.get(step.name, Meeting())
        run = self._state_of[step.name]
        return step_states(
            step,
            StepNames(
                run=run,
                woken=self._pool.take(f"{run} (after wait)") if meeting.waits else "",
                failed=self._pool.take(f"{run} failed") if meeting.wakes or way.following is None else "",
            ),
            meeting,
            way,
        )

    def _region(self, region: Region, way: Way, place: _Place) -> Scope:
        meeting = place.meetings.get(region.name, Meeting())
        read = self._state_of[region.name]
        each = self._pool.take(f"{region.steps[0].name} for each of {region.over.output}")
        last = way.following is None and not meeting.wakes
        names = RegionNames(
            read=read,
            each=each,
            woken=self._pool.take(f"{read} (after wait)") if meeting.waits else "",
            ended=self._pool.take(f"{each} has ended") if meeting.wakes else "",
            failed=self._pool.take(f"{each} failed") if last else "",
        )
        tree = self._nest.inside[region.name]
        inside: Scope = {}
        entry = self._entry(tree, None)
        self._emit(tree, entry, Way(), inside, _Place(meetings_in(tree, self._nest), region), after=None)
        return region_states(region, names, meeting, way, (entry, inside))

    def _nested(self, part: Nested, way: Way, place: _Place) -> Task:
        self._parts.append((part, place))
        given: dict[str, Any] = {"run.$": "$.run"}
        if place.region is not None:
            given |= {"item.$": "$.item", "entry.$": "$.entry"}
        given["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$"] = "$$.Execution.Id"
        return Task(
            comment=comment_of(f"{self._part_title(part)} as an execution of its own"),
            resource=START_EXECUTION,
            parameters={"StateMachineArn": machine_arn(part.name), "Input": given},
            result_path=None,
            retry=(NESTED_SERVICE,),
            **Way(way.following).onward(),
        )


def _step_name(part: Tree) -> str | None:
    return part.step if isinstance(part, Leaf) else None
