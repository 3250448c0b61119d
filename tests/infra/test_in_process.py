"""`execute_pipeline` and `execute_solid`: run here, look at everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from solidstate import (
    ExpectationResult,
    In,
    Materialization,
    Mode,
    Nothing,
    Out,
    Output,
    PipelineFailed,
    RequestErrors,
    RetryPolicy,
    SolidstateError,
    SolidType,
    execute_pipeline,
    execute_pipeline_iterator,
    execute_solid,
    pipeline,
    resource,
    solid,
)
from solidstate.handler.committed import read_commit
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.inline import run_inline
from solidstate.pipeline import pipeline_from_dependencies
from solidstate.planner.build import build_plan
from solidstate.storage.memory import MemoryStore
from solidstate.storage.remembered import Remembered


class Scale(msgspec.Struct):
    factor: int = 2


@solid(outs={"small": Out(list[int]), "large": Out(list[int], optional=True)})
def split(numbers: list[int]) -> Iterator[Any]:
    yield ExpectationResult(success=bool(numbers), label="not_empty")
    yield Output([n for n in numbers if n < 10], "small")
    large = [n for n in numbers if n >= 10]
    if large:
        yield Output(large, "large")


@solid
def scale(config: Scale, numbers: list[int]) -> list[int]:
    return [n * config.factor for n in numbers]


@solid(resources={"greeting"})
def greet(context: Any) -> str:
    context.emit(Materialization("note", path="note.txt"))
    return f"{context.resources.greeting} {context.run_id}"


@solid(retry=RetryPolicy(max_attempts=2))
def recovers(context: Any) -> int:
    if context.attempt == 1:
        raise OSError("the first time")
    return 1


@solid
def fails(n: int) -> int:
    raise ValueError(f"no {n}")


@pipeline(modes=[Mode("default", resources={"greeting": "hello"})])
def flow() -> None:
    parts = split()
    scale(parts.small)
    scale.alias("scale_large")(parts.large)
    greet()


@pipeline
def failing() -> None:
    fails(recovers())


def request(*numbers: int) -> dict[str, Any]:
    """A request for `flow`."""
    return {"solids": {"split": {"inputs": {"numbers": list(numbers)}}, "scale": {"config": {"factor": 3}}}}


def test_outputs_events_and_statuses_are_there() -> None:
    """By step and name; a step that was skipped says so."""
    result = execute_pipeline(flow, request(1, 2), run_id="r-1")
    assert result.success
    assert (result.output("scale"), result.output("greet")) == ([3, 6], "hello r-1")
    split_result = result.result_for_solid("split")
    assert split_result.outputs == {"small": [1, 2]}
    assert [test.label for test in split_result.expectations] == ["not_empty"]
    assert [made.path for made in result.result_for_solid("greet").materializations] == ["note.txt"]
    skipped = result.result_for_solid("scale_large")
    assert (skipped.skipped, skipped.success, skipped.error) == (True, False, None)
    assert {event.step for event in result.events} == {"", "split", "scale", "scale_large", "greet"}


def test_each_look_at_an_output_is_a_new_value() -> None:
    """A test that changes one does not change the next."""
    result = execute_pipeline(flow, request(1))
    result.output("scale").append(9)
    assert result.output("scale") == [3]


def test_what_is_not_there_is_said() -> None:
    """Step or output."""
    result = execute_pipeline(flow, request(1))
    with pytest.raises(SolidstateError) as caught:
        result.output("spilt")
    assert str(caught.value) == (
        "There is no step `spilt`; steps: `split`, `scale`, `scale_large`, `greet`.\n  fix: did you mean `split`?"
    )
    with pytest.raises(SolidstateError) as caught:
        result.output("split", "large")
    assert str(caught.value) == "`split` has no output `large` in this run."


def test_the_cause_is_the_exception_of_the_step_that_failed() -> None:
    """Not that of an attempt that was repeated with success."""
    with pytest.raises(PipelineFailed) as caught:
        execute_pipeline(failing)
    assert str(caught.value).startswith("1 step failed: `fails`\n  `fails`: ValueError: no 1\n    at ")
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.result.output("recovers") == 1
    result = execute_pipeline(failing, raise_on_error=False)
    error = result.result_for_solid("fails").error
    assert (result.success, error and error.type) == (False, "ValueError")


def test_a_wrong_request_is_refused() -> None:
    """As everywhere."""
    with pytest.raises(RequestErrors, match="Input `numbers` of `split` is not connected and not given"):
        execute_pipeline(flow, {})


def test_one_solid_alone() -> None:
    """With plain values for inputs, config as a mapping or as the struct itself, and resources."""
    assert execute_solid(scale, inputs={"numbers": [1]}).output() == [2]
    assert execute_solid(scale, inputs={"numbers": [1]}, config={"factor": 5}).output() == [5]
    assert execute_solid(scale, inputs={"numbers": [1]}, config=Scale(7)).output() == [7]
    assert execute_solid(greet, resources={"greeting": "hi"}).output().startswith("hi ")
    assert execute_solid(split, inputs={"numbers": [1, 20]}).outputs == {"small": [1], "large": [20]}


def test_a_solid_whose_name_is_that_of_a_given_value() -> None:
    """Names made for inputs keep out of the way."""

    @solid
    def given_x(x: int, x_: int) -> int:
        return x + x_

    assert execute_solid(given_x, inputs={"x": 1, "x_": 2}).output() == 3


def test_inputs_of_one_solid_are_checked() -> None:
    """Wrong types and unknown names are told with the solid's own names."""
    with pytest.raises(PipelineFailed, match="expected `list"):
        execute_solid(scale, inputs={"numbers": "many"})
    with pytest.raises(SolidstateError, match="`scale` has no input `number`"):
        execute_solid(scale, inputs={"number": [1]})


def test_nothing_and_pickled_outputs_can_be_looked_at() -> None:
    """Whatever their format."""

    @solid(outs={"done": Out(Nothing), "odd": Out(SolidType("Odd", codec="pickle"))})
    def make() -> Iterator[Any]:
        yield Output({1, (2, 3)}, "odd")

    @solid(ins={"after": In(Nothing)})
    def last() -> int:
        return 1

    assert execute_solid(make).outputs == {"done": None, "odd": {1, (2, 3)}}
    assert execute_solid(last, inputs={"after": None}).output() == 1


def test_files_and_resources_are_those_of_one_run() -> None:
    """Steps of a run share their files; two runs do not."""
    opened: list[str] = []

    @resource
    def log(context: Any) -> Iterator[list[str]]:
        opened.append(context.step_key)
        yield opened

    @solid(resources={"log"})
    def write(context: Any) -> str:
        assert context.resources.log is opened
        seen = context.fs.exists("bucket/a")
        context.fs.pipe_file("bucket/a", b"1")
        return str(seen)

    @solid(ins={"after": In(Nothing)})
    def look(context: Any) -> bool:
        return bool(context.fs.exists("bucket/a"))

    @pipeline(modes=[Mode("default", resources={"log": log})])
    def files() -> None:
        look(after=write())

    for _ in range(2):
        result = execute_pipeline(files)
        assert (result.output("write"), result.output("look")) == ("False", True)
    assert opened == ["write", "write"]


class Weights(msgspec.Struct):
    by_level: dict[int, float]


def test_integer_keys_in_config_and_inputs() -> None:
    """JSON has text keys only; what the types call integers arrives as integers."""

    @solid
    def weigh(config: Weights, names: dict[int, str]) -> list[object]:
        return [config.by_level, names]

    @pipeline
    def weighing() -> None:
        weigh()

    request = {"solids": {"weigh": {"config": {"by_level": {1: 0.5}}, "inputs": {"names": {2: "two"}}}}}
    assert execute_pipeline(weighing, request).output("weigh") == [{1: 0.5}, {2: "two"}]


def test_a_wrong_input_is_the_failure_of_the_solid() -> None:
    """Not of whatever hands it over."""
    result = execute_solid(scale, inputs={"numbers": "many"}, raise_on_error=False)
    assert result.failure is not None
    assert (result.failure.type, result.failure.message, result.failure.hint) == (
        "Refused",
        "Input `numbers` of `scale` does not pass the check of type `list[int]`: expected `list`, got 'many' of type "
        "`str`.",
        'correct `inputs["numbers"]`',
    )


class Handle:
    """No storage format takes it."""


def test_a_value_without_a_storage_format_is_handed_over() -> None:
    """There is nobody else to read it."""
    handle = Handle()

    @solid
    def same(value: Handle) -> bool:
        return value is handle

    assert execute_solid(same, inputs={"value": handle}).output() is True


def test_a_solid_under_another_name_is_run_under_it() -> None:
    """An alias is a solid."""
    result = execute_solid(scale.alias("twice"), inputs={"numbers": [1]})
    assert (result.summary.step, result.output()) == ("twice", [2])


ODD_ARGUMENTS: dict[str, tuple[Any, str]] = {
    "a solid for a pipeline": (
        lambda: execute_pipeline(scale),  # type: ignore[arg-type]  # what is tested, as in those below
        "`execute_pipeline` takes a pipeline, got `scale` of type `SolidDefinition`.\n"
        "  fix: a solid alone is run by `execute_solid`",
    ),
    "a function": (
        lambda: execute_pipeline_iterator(request),  # type: ignore[arg-type]
        "`execute_pipeline_iterator` takes a pipeline, got `request` of type `function`.\n"
        "  fix: pass what `@pipeline` has made",
    ),
    "a run id": (
        lambda: execute_pipeline(failing, run_id=3),  # type: ignore[arg-type]
        "`run_id` must be text, got 3 of type `int`.\n  fix: leave it out: every run gets an id of its own",
    ),
    "a pipeline for a solid": (
        lambda: execute_solid(failing),  # type: ignore[arg-type]
        "`execute_solid` takes a solid, got `failing` of type `PipelineDefinition`.\n"
        "  fix: a pipeline is run by `execute_pipeline`",
    ),
    "inputs in a list": (
        lambda: execute_solid(scale, inputs=[1]),  # type: ignore[arg-type]
        '`inputs` must map names to values, got [1] of type `list`.\n  fix: write `inputs={"numbers": [1, 2]}`',
    ),
    "an unknown kind": (
        lambda: execute_pipeline(flow, request(1)).events_of_kind("step_ouput"),
        "There is no kind of events `step_ouput`.\n  fix: did you mean `step_output`?",
    ),
    "what a solid yields": (
        lambda: execute_pipeline(flow, request(1)).events_of_kind(ExpectationResult),
        "There is no class of events `ExpectationResult`.\n  fix: did you mean `StepExpectation`?",
    ),
}


@pytest.mark.parametrize("case", ODD_ARGUMENTS)
def test_odd_arguments_are_told(case: str) -> None:
    """Each with what was meant."""
    call, text = ODD_ARGUMENTS[case]
    with pytest.raises(SolidstateError) as caught:
        call()
    assert str(caught.value) == text


def test_numbers_of_numpy() -> None:
    """One that is a float by inheritance is stored as what its type says; a bool is told by its whole name."""

    @solid
    def mean() -> float:
        return np.float64(0.5)

    @solid
    def names() -> list[str]:
        return [np.str_("a")]

    @solid
    def some() -> bool:
        return np.bool_(True)  # type: ignore[return-value]  # what is tested

    @solid
    def untyped() -> Any:
        return np.float64(0.5)

    assert type(execute_solid(mean).output()) is float
    assert type(execute_solid(names).output()[0]) is str
    error = execute_solid(some, raise_on_error=False).failure
    assert error is not None
    kind = f"numpy.{np.bool_.__name__}"
    assert error.message == (
        f"Output `result` of `some` does not pass the check of type `bool`: expected `bool`, got {np.bool_(True)!r} of "
        f"type `{kind}`: `.item()` makes a plain one of it."
    )
    assert execute_solid(untyped, raise_on_error=False).failure is not None


def test_a_returned_value_and_a_yielded_one_leave_the_same() -> None:
    """What takes the short way through a step leaves the events and the commit of what takes the long one."""

    @solid(name="one")
    def returned() -> int:
        return 41

    @solid(name="one", outs={"result": Out(int)})
    def wrapped() -> Any:
        return Output(41)

    @solid
    def plus(x: int) -> int:
        return x + 1

    def left(first: Any) -> tuple[list[dict[str, Any]], list[str]]:
        result = execute_pipeline(pipeline_from_dependencies("p", [first, plus], {"plus": {"x": "one"}}), run_id="r")
        told = [msgspec.to_builtins(event) for event in result.events]
        moving = ("time", "elapsed_s", "duration_s", "request", "plan")
        commit = read_commit(result._store, "p", "plus", "r")
        assert commit is not None
        assert result.output("plus") == 42
        return [{key: fact for key, fact in event.items() if key not in moving} for event in told], [
            out.sha256 for out in commit.outputs
        ]

    assert left(returned) == left(wrapped)


def test_what_was_put_in_place_of_a_commit_is_noticed() -> None:
    """A run that remembers its commits still reads the store: one that was damaged in between fails its reader."""

    class Damaged(MemoryStore):
        def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
            return super().put(key, b"{}\n" if "/commits/p/one/" in key else body, if_absent=if_absent)

    @solid
    def one() -> int:
        return 1

    @solid
    def plus(x: int) -> int:
        return x + 1

    definition = pipeline_from_dependencies("p", [one, plus], {"plus": {"x": "one"}})
    loaded = LoadedPipeline(definition, build_plan(definition))
    runtime = Runtime(
        [loaded], Damaged(), engine="inline", open_fs=dict, fetch_workers=1, remembered=Remembered(), sleep=print
    )
    failed: list[str] = []
    run_inline(runtime, loaded, None, "r", on_failure=lambda error: failed.append(str(error)))
    assert "is not a commit" in failed[0]
