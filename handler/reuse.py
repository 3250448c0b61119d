"""What a run takes from an earlier one: which steps, and whether what is stored there still fits.

Everything is said before the run begins: afterwards a step could only fail on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from solidstate.config_errors import ConfigError
from solidstate.errors import MissingObject, RequestErrors, SolidstateError, name_list
from solidstate.handler.committed import base, read_commit
from solidstate.handler.items import lacking_results
from solidstate.handler.runtime import LoadedPipeline
from solidstate.planner.plan import ExecutionPlan, Step, StepInput, decode_plan
from solidstate.request import RunRequest
from solidstate.storage import keys
from solidstate.storage.records import decode_run_record
from solidstate.storage.store import ObjectStore


class Reuse(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run is going to do, in plan order: ``compute`` these steps, read what these left in ``from_run``
    (``reuse``), and leave the others alone (``leave``)."""

    compute: list[str]
    reuse: list[str] = []
    leave: list[str] = []
    from_run: str = ""


def reuse_of(loaded: LoadedPipeline, selected: Sequence[str] | None, from_run: str | None) -> Reuse:
    """What a request with these ``steps`` and this ``from_run`` comes to."""
    names = [step.name for step in loaded.plan.steps]
    if selected is None:
        return Reuse(names)
    read = set(_read_from_outside(loaded, selected)) if from_run is not None else set[str]()
    others = [name for name in names if name not in set(selected)]
    return Reuse(
        list(selected),
        [name for name in others if name in read],
        [name for name in others if name not in read],
        from_run or "",
    )


def reused_steps(loaded: LoadedPipeline, request: RunRequest) -> list[str]:
    """Steps whose earlier result the selected ones read, in order of first mention."""
    if request.from_run is None or request.steps is None:
        return []
    return _read_from_outside(loaded, request.steps)


def _read_from_outside(loaded: LoadedPipeline, selected: Sequence[str]) -> list[str]:
    read = (upstream for name in selected for upstream in loaded.steps[name].upstream())
    chosen = set(selected)
    return [step for step in dict.fromkeys(read) if step not in chosen]


def check_from_run(store: ObjectStore, loaded: LoadedPipeline, request: RunRequest) -> None:
    """Whether the run to reuse is there, with a result of every step that is read and not selected, and whether each
    still is what its step would produce today: by solid, wiring and types, not by code. Raises RequestErrors."""
    earlier, pipeline = request.from_run, loaded.definition.name
    if earlier is None:
        return
    key = keys.run_record(pipeline, earlier)
    errors: list[ConfigError] = []
    try:
        record = decode_run_record(store.get(key), key)
    except MissingObject:
        problem = f"There is no run `{earlier}` of pipeline `{pipeline}` to take outputs from."
        errors.append(_error(earlier, problem, "`solidstate runs` lists them"))
    else:
        steps = [loaded.steps[name] for name in reused_steps(loaded, request)]
        lacking = [one for step in steps for one in lacking_results(store, pipeline, step, earlier)]
        if lacking:
            problem = f"Run `{earlier}` has no result of {name_list(lacking)}, which the selected steps read."
            wanted = list(dict.fromkeys(map(base, lacking)))  # steps are selected, not items of theirs
            ran = "it" if len(wanted) == 1 else "they"
            hint = f"select {name_list(wanted)} too, or reuse a run in which {ran} ran"
            errors.append(_error(earlier, problem, hint))
        elif record.plan != loaded.hash:
            errors += _misfits(store, pipeline, earlier, steps, _plan(store, pipeline, record.plan))
    if errors:
        raise RequestErrors(f"Run request for pipeline `{pipeline}`", errors)


def _error(earlier: str, problem: str, hint: str) -> ConfigError:
    return ConfigError("choice", ("from_run",), problem, given=earlier, hint=hint)


def _plan(store: ObjectStore, pipeline: str, plan_hash: str) -> ExecutionPlan | None:
    try:
        return decode_plan(store.get(keys.plan(pipeline, plan_hash)))
    except (MissingObject, msgspec.MsgspecError):  # gone, or of another version of ours: the commits remain to be asked
        return None


def _misfits(
    store: ObjectStore, pipeline: str, earlier: str, steps: list[Step], plan: ExecutionPlan | None
) -> list[ConfigError]:
    former = {step.name: step for step in plan.steps} if plan is not None else {}
    errors = []
    for step in steps:
        change = _changed(former[step.name], step) if step.name in former else ""
        if not change and step.map_over is None:
            change = _stored_otherwise(store, pipeline, earlier, step)
        if change:
            problem = f"What run `{earlier}` has of `{step.name}` does not fit the pipeline any more: {change}."
            errors.append(_error(earlier, problem, f"select it too: `{step.name}*` runs it and all that follows"))
    return errors


def _changed(former: Step, step: Step) -> str:
    """The first difference that bears on what a step produces; empty when there is none."""
    if former.solid != step.solid:
        return f"it was the solid `{former.solid}`, now it is `{step.solid}`"
    were, are = ({inp.name: _source(inp) for inp in one.inputs} for one in (former, step))
    for name in dict.fromkeys([*are, *were]):
        if were.get(name) != are.get(name):
            was, now = were.get(name, "not there"), are.get(name, "not there")
            return f"its input `{name}` was {was}, now it is {now}"
    types, now_types = ({out.name: out.type for out in one.outputs} for one in (former, step))
    for name in dict.fromkeys([*now_types, *types]):
        if types.get(name) != now_types.get(name):
            was, now = (f"`{kind}`" if kind else "not there" for kind in (types.get(name), now_types.get(name)))
            return f"its output `{name}` was {was}, now it is {now}"
    if former.map_over != step.map_over:
        return "it ran over other items"
    return ""


def _source(inp: StepInput) -> str:
    return " + ".join(f"`{ref.step}.{ref.output}`" for ref in inp.sources) or "from config"


def _stored_otherwise(store: ObjectStore, pipeline: str, earlier: str, step: Step) -> str:
    try:
        commit = read_commit(store, pipeline, step.name, earlier)
    except SolidstateError as error:
        return error.problem.rstrip(".")
    if commit is None:
        return "its result is gone"
    for out in step.outputs:
        stored = commit.output(out.name)
        if stored is not None and not out.dynamic and stored.type != out.type:
            return f"its output `{out.name}` is stored as `{stored.type}`, now it is `{out.type}`"
        if stored is None and not (out.optional or out.nothing) and not commit.withheld and commit.status == "success":
            return f"its output `{out.name}` is not there"
    return ""
