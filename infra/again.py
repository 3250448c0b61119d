"""Run what failed again: the request of an earlier run, narrowed to the steps without a result, reusing the others."""

from __future__ import annotations

from typing import Any

from solidstate.errors import SolidstateError
from solidstate.handler.runtime import LoadedPipeline
from solidstate.storage import keys
from solidstate.storage.history import record_of, summary_of
from solidstate.storage.records import RunSummary
from solidstate.storage.store import ObjectStore


def request_from_failure(
    store: ObjectStore, loaded: LoadedPipeline, run: str, known: RunSummary | None = None
) -> dict[str, Any]:
    """A run request: mode, config and tags of ``run``, its steps without a result as ``steps``, itself as ``from_run``.

    Steps that ``run`` in turn had taken from a run before it are run again where they are needed: one run is reused,
    not a chain. ``known`` is how the run stands, where somebody knows better than its summary. Raises SolidstateError
    for a run that succeeded or has not ended.
    """
    pipeline = loaded.definition.name
    summary = known if known is not None else summary_of(store, pipeline, run)
    record = record_of(store, pipeline, run)
    if summary.status in ("success", "running"):
        problem, hint = (
            (f"Run `{run}` has not ended.", "wait for it, or stop it")
            if summary.status == "running"
            else (f"Run `{run}` succeeded; there is no failure to start from.", f"use `--from-run {run} --steps NAME*`")
        )
        raise SolidstateError(problem, subject=run, hint=hint)
    ended = {step.step: step.status for step in summary.steps}
    asked = record.request.get("steps") or [step.name for step in loaded.plan.steps]

    def kept(name: str) -> bool:
        step = loaded.steps[name]
        if step.map_over is not None:  # the results are of its items, which only the producer's commit tells
            return ended.get(name) == "success" and store.exists(keys.commit(pipeline, step.map_over.step, run))
        return store.exists(keys.commit(pipeline, name, run))

    chosen: set[str] = set()
    todo = [name for name in asked if name in loaded.steps and not kept(name)]
    while todo:
        name = todo.pop()
        chosen.add(name)
        todo += [one for one in loaded.steps[name].upstream() if one not in chosen and not kept(one)]
    request: dict[str, Any] = {
        "mode": record.mode,
        "solids": _nested(loaded, record.request.get("solids", {})),
        "resources": record.request.get("resources", {}),
        "tags": record.tags,
        "steps": ", ".join(step.name for step in loaded.plan.steps if step.name in chosen),
        "from_run": run,
    }
    return {key: value for key, value in request.items() if value}


def _nested(loaded: LoadedPipeline, solids: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is recorded by step, as it is written: solids inside the composites around them. Config that a composite's
    ``config_fn`` made is made by it again."""
    mapping = {use.name for use in loaded.definition.composites if use.definition.config_fn is not None}
    result: dict[str, Any] = {}
    for name, entry in solids.items():
        outer = name.split(".")[:-1]
        made = any(".".join(outer[: end + 1]) in mapping for end in range(len(outer)))
        below = result
        for part in outer:
            below = below.setdefault(part, {}).setdefault("solids", {})
        kept = {key: value for key, value in entry.items() if not (made and key == "config")}
        below.setdefault(name.rpartition(".")[2], {}).update(kept)
    return result
