"""Execution plan -> Amazon States Language: Start run, the nested steps, End run.

Every step is a Task of its own name that calls the one Lambda function; order comes from ``planner.shape``. A failed
step is caught and the machine goes on: later steps find no commit of it and record that they are skipped, and End run
fails the execution with the names of the failed steps. So no branch ever fails, and no failure stops its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from solidstate.errors import CompileError, Errors, name_list
from solidstate.planner import contract
from solidstate.planner import names as own
from solidstate.planner.limits import MAX_DEFINITION_BYTES, MAX_INLINE_ITEMS, MAX_LAMBDA_TIMEOUT_S, check_limits
from solidstate.planner.plan import ExecutionPlan, Step, plan_hash
from solidstate.planner.regions import Region, dag_inside, units_of
from solidstate.planner.retries import SERVICE, step_retriers
from solidstate.planner.shape import shape
from solidstate.planner.states import (
    FUNCTION,
    STATES_ALL,
    Branch,
    Catcher,
    Fail,
    ItemProcessor,
    ItemReader,
    Machine,
    Map,
    Parallel,
    Pass,
    ProcessorConfig,
    State,
    Succeed,
    Task,
    encode_machine,
)
from solidstate.planner.tree import Leaf, Sequence, Tree, first_step

TIMEOUT_MARGIN_S = 60
"""The machine waits this much longer than the function may take, else it would start a second attempt beside a first
one that still runs."""
MAX_JOINED_BYTES = 200 * 1024
"""What the branches of one Parallel may hand over together; the service refuses more than 262,144 bytes."""
MAP_CONCURRENCY = 40
"""Iterations of an inline Map that run at a time: what the service does at most (developer guide, "Map state")."""
DISTRIBUTED_CONCURRENCY = 200
"""Child executions at a time. 1,000 is the default quota of concurrent Lambda invocations of an account."""
COMMENT_LENGTH = 200

_RESULT = "$.result"
_Scope = dict[str, State]


class Part(msgspec.Struct, frozen=True):
    """A machine that the pipeline's own machine starts as a nested execution, because all does not fit into one.

    ``name`` is unique in the pipeline; other definitions start it by the substitution ``${<name>Arn}``."""

    name: str
    definition: bytes


class Compiled(msgspec.Struct, frozen=True):
    """The definition of a pipeline's machine, UTF-8 JSON, and of the parts it starts."""

    definition: bytes
    parts: tuple[Part, ...] = ()


def compile_plan(plan: ExecutionPlan, seconds: Mapping[str, float] | None = None) -> Compiled:
    """The state machine of ``plan``, the same bytes for the same plan and estimates.

    Laid out for people, or without white space when only that fits into the quota. ARNs are left open (see
    :func:`substitute`). ``seconds`` are estimates of how long each step takes; they change what parks, never what
    waits for what. Raises :class:`Errors` with every :class:`CompileError` when the plan cannot be deployed.
    """
    machine = build_machine(plan)
    definition = encode_machine(machine)
    if len(definition) > MAX_DEFINITION_BYTES:
        definition = encode_machine(machine, readable=False)
    problems = check_limits(plan, definition)
    if problems:
        raise Errors(f"pipeline `{plan.pipeline}` does not fit into Step Functions", problems)
    return Compiled(definition)


def substitute(definition: bytes, function_arn: str) -> bytes:
    """``definition`` calling the function ``function_arn``, as CloudFormation does it with DefinitionSubstitutions."""
    mark = msgspec.json.encode(FUNCTION)
    if mark not in definition:
        raise CompileError(
            f"A compiled definition names its function as `{FUNCTION}`, but this one does not contain it.",
            hint="compile the pipeline again with `solidstate compile`",
        )
    return definition.replace(mark, msgspec.json.encode(function_arn))


def build_machine(plan: ExecutionPlan) -> Machine:
    """The definition of ``plan`` as structs, before any quota is checked."""
    if not plan.steps:
        raise CompileError(f"Pipeline `{plan.pipeline}` has no steps, so there is nothing to compile.")
    return _Emitter(plan).machine()


class _Emitter:
    """Writes one plan's states. States of a branch go into that branch's own scope, in reading order."""

    def __init__(self, plan: ExecutionPlan) -> None:
        self._plan = plan
        self._base: dict[str, Any] = {"pipeline": plan.pipeline, "plan": plan_hash(plan)}
        self._pool, self._state_of = own.pool_for(plan)
        self._steps: Mapping[str, Step] = {step.name: step for step in plan.steps}
        self._units = units_of(plan)
        for name, region in self._units.regions.items():
            self._state_of[name] = self._pool.take(
                f"{region.over.output} of {region.over.step} for {region.steps[0].name}"
            )

    def machine(self) -> Machine:
        tree = shape(self._units.dag)
        scope: _Scope = {}
        entry = self._entry(tree, None)
        scope[own.START_RUN] = self._start_run(entry)
        self._emit(tree, entry, own.END_RUN, scope, after=None)
        scope[own.END_RUN] = self._end_run()
        _add_ending(scope, own.READ_REFUSAL, own.RUN_REFUSED, contract.RUN_REFUSED, "The run request is not valid")
        _add_ending(scope, own.READ_FAILURES, own.RUN_FAILED, contract.RUN_FAILED, "At least one step failed")
        description = _comment(self._plan.description)
        title = f"solidstate pipeline {self._plan.pipeline}"
        return Machine(
            comment=f"{title}: {description}" if description else title, start_at=own.START_RUN, states=scope
        )

    def _entry(self, tree: Tree, after: str | None) -> str:
        """The name of the state that ``tree`` begins with; taken from the pool when it is a Parallel."""
        first = tree.parts[0] if isinstance(tree, Sequence) else tree
        if isinstance(first, Leaf):
            return self._state_of[first.step]
        count = f"{len(first.branches)} branches"
        return self._pool.take(f"{count} after {after}" if after else f"{count} - {first_step(first)} and others")

    def _emit(
        self, tree: Tree, entry: str, following: str | None, scope: _Scope, *, after: str | None, joined: bool = False
    ) -> None:
        """Write ``tree``, whose first state is called ``entry``, and go on to ``following``; None ends the branch.

        ``after`` is the step before it, if it is one. ``joined`` says whether the end of the branch may hand its digest
        to the Parallel around it.
        """
        parts = tree.parts if isinstance(tree, Sequence) else (tree,)
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            plain = isinstance(part, Leaf) and part.step in self._steps
            upcoming = following if last else self._entry(parts[number + 1], first_step(part) if plain else None)
            if isinstance(part, Leaf) and part.step in self._units.regions:
                self._emit_region(self._units.regions[part.step], upcoming, scope)
                after = None
            elif isinstance(part, Leaf):
                self._emit_step(self._steps[part.step], upcoming, scope, joined)
                after = part.step
            else:
                scope[entry] = Parallel(
                    comment=_comment(self._parallel_comment(part.branches, after)),
                    branches=tuple(self._branch(branch, after, len(part.branches)) for branch in part.branches),
                    result_path=None,
                    output_path=UNSET if upcoming else None,
                    next=upcoming or UNSET,
                    end=upcoming is None,
                )
                after = None
            entry = upcoming or entry

    def _branch(self, tree: Tree, after: str | None, branches: int) -> Branch:
        scope: _Scope = {}
        entry = self._entry(tree, after)
        joined = branches * contract.MAX_DIGEST_BYTES <= MAX_JOINED_BYTES
        self._emit(tree, entry, None, scope, after=after, joined=joined)
        return Branch(start_at=entry, states=scope)

    def _emit_step(self, step: Step, following: str | None, scope: _Scope, joined: bool) -> None:
        name = self._state_of[step.name]
        failed = following or self._pool.take(f"{name} failed")
        scope[name] = Task(
            comment=_comment(step.description) or UNSET,
            parameters={
                "kind": "step",
                "step": step.name,
                "run.$": "$.run",
                "retry.$": "$$.State.RetryCount",
                **({"item.$": "$.item"} if step.map_over is not None else {}),
            },
            timeout_seconds=step.compute.timeout_s + TIMEOUT_MARGIN_S,
            result_path=_RESULT,
            output_path=UNSET if following else (_RESULT if joined else None),
            retry=step_retriers(step),
            catch=(Catcher(error_equals=(STATES_ALL,), result_path=_RESULT, next=failed),),
            next=following or UNSET,
            end=following is None,
        )
        if following is None:
            scope[failed] = Succeed(output_path=None)

    def _emit_region(self, region: Region, following: str | None, scope: _Scope) -> None:
        """Two states: a Task that tells which items there are, and a Map that runs the steps for each."""
        reader = self._state_of[region.name]
        names = name_list([step.name for step in region.steps], limit=4)
        mapper = self._pool.take(f"{region.steps[0].name} for each of {region.over.output}")
        failed = following or self._pool.take(f"{mapper} failed")
        limit = self._steps[region.over.step].output(region.over.output).max_items
        listed = limit > MAX_INLINE_ITEMS
        catch = (Catcher(error_equals=(STATES_ALL,), result_path=_RESULT, next=failed),)
        scope[reader] = Task(
            comment=_comment(f"Which items {names} {'are' if len(region.steps) > 1 else 'is'} to be run for"),
            parameters={
                "kind": "items",
                "step": region.over.step,
                "output": region.over.output,
                "steps": [step.name for step in region.steps],
                "run.$": "$.run",
                **({"listed": True} if listed else {}),
            },
            timeout_seconds=MAX_LAMBDA_TIMEOUT_S + TIMEOUT_MARGIN_S,
            result_path=_RESULT,
            retry=(SERVICE,),
            catch=catch,
            next=mapper,
        )
        scope[mapper] = self._map(region, following, catch if listed else (), listed=listed)
        if following is None:
            scope[failed] = Succeed(output_path=None)

    def _map(self, region: Region, following: str | None, catch: tuple[Catcher, ...], *, listed: bool) -> Map:
        inner: _Scope = {}
        tree = shape(dag_inside(region))
        entry = self._entry(tree, None)
        self._emit(tree, entry, None, inner, after=None)
        config = (
            ProcessorConfig(mode="DISTRIBUTED", execution_type="STANDARD") if listed else ProcessorConfig(mode="INLINE")
        )
        reader = ItemReader(
            reader_config={"InputType": "JSON"},
            parameters={"Bucket.$": f"{_RESULT}.bucket", "Key.$": f"{_RESULT}.key"},
        )
        return Map(
            comment=_comment(f"Each item of `{region.over.output}` of `{region.over.step}`"),
            items_path=UNSET if listed else f"{_RESULT}.items",
            item_reader=reader if listed else UNSET,
            item_selector={"run.$": "$.run", "item.$": "$$.Map.Item.Value"},
            max_concurrency=DISTRIBUTED_CONCURRENCY if listed else MAP_CONCURRENCY,
            # An item that fails is caught inside; should its child execution break down, the others go on.
            tolerated_failure_percentage=100.0 if listed else UNSET,
            item_processor=ItemProcessor(processor_config=config, start_at=entry, states=inner),
            result_path=None,
            output_path=UNSET if following else None,
            catch=catch,
            next=following or UNSET,
            end=following is None,
        )

    def _parallel_comment(self, branches: tuple[Leaf | Sequence, ...], after: str | None) -> str:
        firsts = name_list([first_step(branch) for branch in branches], limit=4)
        return f"{len(branches)} branches{f' after `{after}`' if after else ''}: from {firsts}"

    def _start_run(self, following: str) -> Task:
        return Task(
            comment="Checks the execution input and records the run",
            parameters={
                "kind": "start",
                **self._base,
                "execution.$": "$$.Execution.Id",
                "name.$": "$$.Execution.Name",
                "input.$": "$$.Execution.Input",
            },
            timeout_seconds=MAX_LAMBDA_TIMEOUT_S + TIMEOUT_MARGIN_S,
            retry=(SERVICE,),
            catch=(Catcher(error_equals=(contract.RUN_REFUSED,), next=own.READ_REFUSAL),),
            next=following,
        )

    def _end_run(self) -> Task:
        return Task(
            comment="Writes the summary; fails the execution when a step failed",
            parameters={"kind": "end", "run.$": "$.run"},
            timeout_seconds=MAX_LAMBDA_TIMEOUT_S + TIMEOUT_MARGIN_S,
            retry=(SERVICE,),
            catch=(Catcher(error_equals=(contract.RUN_FAILED,), next=own.READ_FAILURES),),
            end=True,
        )


def _add_ending(scope: _Scope, reader: str, ending: str, error: str, comment: str) -> None:
    """Two states that fail the execution with the message the function raised, freed of its JSON wrapping. Two, because
    a path cannot reach into the result of an intrinsic function."""
    scope[reader] = Pass(parameters={"cause.$": "States.StringToJson($.Cause)"}, next=ending)
    scope[ending] = Fail(comment=comment, error=error, cause_path="$.cause.errorMessage")


def _comment(text: str) -> str:
    """The first line, bounded, and free of ``${``, which CloudFormation would take for a substitution."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "").replace("${", "$ {")
    return line if len(line) <= COMMENT_LENGTH else line[: COMMENT_LENGTH - 3] + "..."
