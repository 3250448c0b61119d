"""What a pipeline comes to, worked out in a few lines from its plan: no store, no attempts, no machine."""

from __future__ import annotations

import msgspec

from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput
from tests.sim.solids import Unit, count_of, decides, digest_of, origin_of


class Expected(msgspec.Struct, frozen=True):
    """``values`` are the digests of all outputs by origin; ``units`` are the steps and items that have a result, each
    with whether it is skipped; ``before`` are the units that each of them reads, directly; ``gives`` are the outputs of
    each, by origin."""

    values: dict[str, str]
    units: dict[Unit, bool]
    before: dict[Unit, tuple[Unit, ...]]
    gives: dict[Unit, list[str]]


class _Evaluation:
    def __init__(self, plan: ExecutionPlan) -> None:
        self._plan = plan
        self._steps = {step.name: step for step in plan.steps}
        self._outside: set[Unit] = set()
        self.values: dict[str, str] = {}
        self.units: dict[Unit, bool] = {}
        self.before: dict[Unit, tuple[Unit, ...]] = {}
        self.gives: dict[Unit, list[str]] = {}

    def run(self) -> None:
        for step in self._plan.steps:
            for item in [""] if step.map_over is None else self._items(step.map_over):
                self._unit(step, item)

    def _items(self, over: OutputRef) -> list[str]:
        if self.units.get((over.step, ""), True):
            return []
        return [f"k{number}" for number in range(count_of(over.step))]

    def _unit(self, step: Step, item: str) -> None:
        unit = step.name, item
        read: list[str] = []
        before: dict[Unit, None] = {} if step.map_over is None else {(step.map_over.step, ""): None}
        lacking: list[Unit] = []
        for inp in step.inputs:
            for ref in inp.sources:
                producer = (self._steps[ref.step].map_over or ref) if inp.kind == "collect" else None
                if producer is not None:
                    before[producer.step, ""] = None
                for of, origin in self._sources(inp, ref, item):
                    before[of] = None
                    if origin in self.values:
                        read.append(self.values[origin])
                    elif inp.kind != "collect" or not of[1] or of in self._outside:
                        lacking.append(of)
        self.before[unit] = tuple(before)
        self.units[unit] = bool(lacking)
        if lacking:
            if item and any(not of[1] or of in self._outside for of in lacking):
                self._outside.add(unit)
            return
        self._give(step, item, read)

    def _sources(self, inp: StepInput, ref: OutputRef, item: str) -> list[tuple[Unit, str]]:
        over = self._steps[ref.step].map_over
        dynamic = next(out.dynamic for out in self._steps[ref.step].outputs if out.name == ref.output)
        if over is None and not dynamic:
            return [((ref.step, ""), origin_of(ref.step, "", ref.output))]
        if over is None and inp.kind == "collect":
            keys = self._items(ref)
            parts = [((ref.step, ""), origin_of(ref.step, "", ref.output, key)) for key in keys]
            return parts or self._nothing_from(ref)
        if over is None:
            return [((ref.step, ""), origin_of(ref.step, "", ref.output, item))]
        if inp.kind != "collect":
            return [((ref.step, item), origin_of(ref.step, item, ref.output))]
        return [
            *self._nothing_from(over),
            *(((ref.step, key), origin_of(ref.step, key, ref.output)) for key in self._items(over)),
        ]

    def _nothing_from(self, over: OutputRef) -> list[tuple[Unit, str]]:
        """A producer that is skipped leaves nothing to collect; one without items leaves an empty list."""
        return [((over.step, ""), "")] if self.units.get((over.step, ""), True) else []

    def _give(self, step: Step, item: str, read: list[str]) -> None:
        name = step.name
        for out in step.outputs:
            if out.name == "maybe" and not decides(name, item, "maybe"):
                continue
            if step.solid == "judged" and not decides(name, item, "fine"):
                continue
            for key in self._items(OutputRef(name, out.name)) if out.dynamic else [""]:
                origin = origin_of(name, item, out.name, key)
                self.values[origin] = digest_of(name, item, out.name + key, read)
                self.gives.setdefault((name, item), []).append(origin)


def expected_of(plan: ExecutionPlan) -> Expected:
    evaluation = _Evaluation(plan)
    evaluation.run()
    return Expected(evaluation.values, evaluation.units, evaluation.before, evaluation.gives)
