"""What ``execute_pipeline`` gives back: a finished run, by step, by event, by value."""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar, get_args, overload

from solidstate.errors import SolidstateError, closest, name_list, shown
from solidstate.events import AnyEvent, ErrorInfo, StepExpectation, StepMaterialization, kind_of
from solidstate.handler.committed import read_commit
from solidstate.handler.inputs import decoded_output
from solidstate.handler.items import item_keys
from solidstate.handler.runtime import LoadedPipeline
from solidstate.infra.composite_results import composite_summary
from solidstate.planner.plan import OutputRef, Step
from solidstate.storage.history import events_of
from solidstate.storage.records import RunSummary, StepSummary
from solidstate.storage.store import ObjectStore

E = TypeVar("E")
_KINDS: dict[str, type] = {str(cls.__struct_config__.tag): cls for cls in get_args(AnyEvent)}


class PipelineFailed(SolidstateError):
    """``execute_pipeline``: at least one step failed. ``result`` has everything that was done; the cause is the first
    failed step's own exception."""

    def __init__(self, result: PipelineResult) -> None:
        super().__init__(result.summary.message, subject=result.summary.pipeline)
        self.result = result


class PipelineResult:
    """A finished run: its summary, its events, its outputs by step."""

    def __init__(
        self,
        loaded: LoadedPipeline,
        store: ObjectStore,
        summary: RunSummary,
        causes: dict[str, BaseException | None] | None = None,
    ) -> None:
        self._loaded = loaded
        self._store = store
        self._causes = causes or {}
        self.summary = summary

    @property
    def success(self) -> bool:
        return self.summary.status == "success"

    @property
    def run_id(self) -> str:
        return self.summary.run

    @property
    def events(self) -> list[AnyEvent]:
        """All events in order: by plan, then attempt, then sequence."""
        return list(self._events)

    @cached_property
    def _events(self) -> tuple[AnyEvent, ...]:
        return tuple(events_of(self._store, self.summary))

    @cached_property
    def _events_by_step(self) -> dict[str, list[AnyEvent]]:
        found: dict[str, list[AnyEvent]] = {}
        for event in self._events:
            found.setdefault(event.step, []).append(event)
        return found

    @cached_property
    def _steps(self) -> dict[str, StepSummary]:
        return {step.step: step for step in self.summary.steps}

    @overload
    def events_of_kind(self, kind: type[E]) -> list[E]: ...
    @overload
    def events_of_kind(self, kind: str) -> list[AnyEvent]: ...
    def events_of_kind(self, kind: type[Any] | str) -> list[Any]:
        """Events of one class (``StepExpectation``) or of one kind as it is written (``"step_expectation_result"``)."""
        check_kind(kind)
        found: list[Any] = [
            event
            for event in self._events
            if (kind_of(event) == kind if isinstance(kind, str) else isinstance(event, kind))
        ]
        return found

    def result_for_solid(self, step: str) -> SolidResult:
        """What one step did; raises SolidstateError for a step the pipeline does not have."""
        composites = {use.name: use for use in self._loaded.definition.composites}
        if step in composites:
            return SolidResult(self, composite_summary(composites[step], self.summary))
        if step not in self._steps:
            near = closest(step, self._steps)
            raise SolidstateError(
                f"There is no step `{step}`; steps: {name_list(list(self._steps))}.",
                subject=step,
                hint=f"did you mean `{near}`?" if near else "",
            )
        return SolidResult(self, self._steps[step])

    def output(self, step: str, name: str = "result") -> Any:
        """The value of an output, decoded anew at each call. Raises SolidstateError when the step did not yield it."""
        return self.result_for_solid(step).output(name)

    def output_value(self, step: str, name: str = "result") -> Any:
        """The same as :meth:`output`."""
        return self.output(step, name)

    @property
    def failures(self) -> dict[str, ErrorInfo | None]:
        """The failed steps, each with its error; None for one that was killed and left none."""
        return {step.step: step.error for step in self.summary.steps if step.status == "failed"}

    def raise_on_error(self) -> PipelineResult:
        """The result itself; raises PipelineFailed, from the first failed step's own exception, when a step failed."""
        if self.success:
            return self
        raise PipelineFailed(self) from self._causes.get(next(iter(self.failures), ""))

    def _load(self, step: str, name: str) -> Any:
        pipeline = self._loaded.definition.name
        planned = self._loaded.steps.get(step)
        if planned is None:
            use = self._loaded.definition.composite(step)
            if name not in use.outputs:
                raise SolidstateError(f"Composite `{step}` has no output `{name}`.", subject=step)
            source = use.outputs[name]
            value = self._load(source.node, source.output)
            return list(value.values()) if name in use.collected else value
        if planned.map_over is not None:
            return self._load_mapped(planned, name)
        commit = read_commit(self._store, pipeline, step, self.run_id)
        ref = OutputRef(step, name)
        if commit is not None and any(out.name == name and out.dynamic for out in planned.outputs):
            items = commit.items(name)
            return {
                item: decoded_output(self._loaded, ref, one, self._store, "the result") for item, one in items.items()
            }
        stored = commit.output(name) if commit is not None else None
        if stored is None:
            raise SolidstateError(f"`{step}` has no output `{name}` in this run.", subject=step)
        return decoded_output(self._loaded, OutputRef(step, name), stored, self._store, "the result")

    def _load_mapped(self, step: Step, name: str) -> dict[str, Any]:
        """The values of the items that have one, by key, in the order the items were yielded."""
        pipeline = self._loaded.definition.name
        found: dict[str, Any] = {}
        over = step.map_over
        for item in item_keys(self._store, pipeline, over, [self.run_id]) or [] if over is not None else []:
            commit = read_commit(self._store, pipeline, step.name, self.run_id, item)
            stored = commit.output(name) if commit is not None else None
            if stored is not None:
                ref = OutputRef(step.name, name)
                found[item] = decoded_output(self._loaded, ref, stored, self._store, "the result")
        return found


class SolidResult:
    """One step of a finished run."""

    def __init__(self, run: PipelineResult, summary: StepSummary) -> None:
        self._run = run
        self.summary = summary

    @property
    def success(self) -> bool:
        return self.summary.status == "success"

    @property
    def skipped(self) -> bool:
        return self.summary.status == "skipped"

    @property
    def error(self) -> ErrorInfo | None:
        return self.summary.error

    @property
    def failure(self) -> ErrorInfo | None:
        """The same as :attr:`error`: why the step failed, with the facts of its ``Failure``; None when it did not."""
        return self.summary.error

    @property
    def warnings(self) -> list[str]:
        """Expectations of severity ``warn`` that were not met, and hooks that raised."""
        return list(self.summary.warnings)

    @property
    def events(self) -> list[AnyEvent]:
        """Of all attempts."""
        by_step = self._run._events_by_step  # noqa: SLF001 - friends, in one module
        inside = f"{self.summary.step}."  # of a composite
        return [
            e
            for name, events in by_step.items()
            if name == self.summary.step or name.startswith(inside)
            for e in events
        ]

    @overload
    def events_of_kind(self, kind: type[E]) -> list[E]: ...
    @overload
    def events_of_kind(self, kind: str) -> list[AnyEvent]: ...
    def events_of_kind(self, kind: type[Any] | str) -> list[Any]:
        """As :meth:`PipelineResult.events_of_kind`, of this step."""
        found: list[Any] = self._run.events_of_kind(kind)
        inside = f"{self.summary.step}."  # of a composite
        return [event for event in found if event.step == self.summary.step or event.step.startswith(inside)]

    @property
    def materializations(self) -> list[StepMaterialization]:
        return [event for event in self.events if isinstance(event, StepMaterialization)]

    @property
    def expectations(self) -> list[StepExpectation]:
        return [event for event in self.events if isinstance(event, StepExpectation)]

    def output(self, name: str = "result") -> Any:
        """As :meth:`PipelineResult.output`."""
        return self._run._load(self.summary.step, name)  # noqa: SLF001 - friends, in one module

    def output_value(self, name: str = "result") -> Any:
        """The same as :meth:`output`."""
        return self.output(name)

    @property
    def outputs(self) -> dict[str, Any]:
        """All outputs that were yielded."""
        return {name: self.output(name) for name in self.summary.outputs}


def check_kind(kind: object) -> None:
    """Raises SolidstateError for what is the kind or class of no event: asking for it would always find none."""
    if isinstance(kind, type):
        if any(issubclass(cls, kind) for cls in _KINDS.values()):
            return
        name, known, what = kind.__name__, [cls.__name__ for cls in _KINDS.values()], "class"
    elif isinstance(kind, str):
        if kind in _KINDS:
            return
        name, known, what = kind, list(_KINDS), "kind"
    else:
        raise SolidstateError(
            f"`events_of_kind` takes the class or the kind of an event, got {shown(kind)}.",
            subject="events_of_kind",
            hint='write `events_of_kind("step_output")`',
        )
    near = closest(name, known)
    raise SolidstateError(
        f"There is no {what} of events `{name}`.",
        subject=name,
        hint=f"did you mean `{near}`?" if near else f"known: {name_list(known, len(known))}",
    )
