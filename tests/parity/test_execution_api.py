"""2019's Python API for running things and looking at what they did."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate import (
    ExpectationResult,
    Failure,
    Materialization,
    Mode,
    Out,
    Output,
    PipelineFailed,
    Preset,
    SolidstateError,
    build_context,
    composite_solid,
    execute_pipeline,
    execute_pipeline_iterator,
    execute_solid,
    solid,
)
from solidstate.events import kind_of
from tests.parity.running import built, run, statuses


class Factor(msgspec.Struct):
    factor: int = 2


@solid
def one() -> int:
    return 1


@solid(outs={"small": Out(int), "large": Out(int), "odd": Out(int, optional=True)})
def work(number: int) -> Any:
    yield Materialization("table", path="s3://b/t")
    yield ExpectationResult(success=True, label="there")
    yield Output(number, "small")
    yield Output(number * 100, "large")


@solid
def scale(config: Factor, number: int) -> int:
    return number * config.factor


@solid
def boom(number: int) -> int:
    raise Failure("no", {"number": number})


@solid(resources={"db"})
def query(context: Any) -> Any:
    return context.resources.db


@solid
def show(number: int) -> int:
    return number


def good() -> None:
    work(one())


def bad() -> None:
    show(boom(one()))


def test_success() -> None:
    """`PipelineExecutionResult.success`."""
    assert (run(good).success, run(bad).success) == (True, False)


def test_a_run_has_an_id() -> None:
    """One of its own each time, or the one that is given."""
    first, second = execute_pipeline(built(good)), execute_pipeline(built(good))
    assert first.run_id != second.run_id
    assert execute_pipeline(built(good), run_id="mine").run_id == "mine"


def test_event_list() -> None:
    """`event_list` is `events`, all of them in order."""
    assert [event.seq >= 0 and kind_of(event) for event in run(one).events] == [
        *("run_start", "step_start", "step_output", "step_success", "run_success")
    ]


def test_step_event_list() -> None:
    """`step_event_list` are those that have a step."""
    assert {event.step for event in run(good).events if event.step} == {"one", "work"}


def test_raise_on_error() -> None:
    """A run that failed raises at its end, from the exception of the step; 2019 raised at once and left the rest."""

    def body() -> None:
        number = one()
        boom(number)
        show(number)

    with pytest.raises(PipelineFailed) as caught:
        execute_pipeline(built(body))
    assert isinstance(caught.value.__cause__, Failure)
    assert caught.value.problem.splitlines()[0] == "1 step failed: `boom`"
    assert statuses(caught.value.result) == {"one": "success", "boom": "failed", "show": "success"}


def test_a_raised_failure_has_the_result() -> None:
    """What was done until then."""
    with pytest.raises(PipelineFailed) as caught:
        execute_pipeline(built(bad))
    assert statuses(caught.value.result) == {"one": "success", "boom": "failed", "show": "skipped"}


def test_no_raise_on_error() -> None:
    """The result tells; nothing is raised."""
    assert execute_pipeline(built(bad), raise_on_error=False).success is False


def test_a_result_for_a_solid() -> None:
    """`result_for_solid(name)`."""
    assert run(good).result_for_solid("work").success


def test_a_result_for_an_alias() -> None:
    """Under the alias alone."""
    result = run(one.alias("uno"))
    assert result.result_for_solid("uno").output() == 1
    with pytest.raises(SolidstateError, match=r"^There is no step `one`; steps: `uno`\.") as caught:
        result.result_for_solid("one")
    assert caught.value.subject == "one"


def test_a_result_for_a_handle() -> None:
    """`result_for_handle("outer.inner")`: composites and what is in them."""

    @composite_solid
    def outer() -> Any:
        return show(one())

    result = run(outer)
    assert (result.result_for_solid("outer.one").output(), result.result_for_solid("outer").output()) == (1, 1)


def test_result_value() -> None:
    """`result_value(output_name)` is `output`."""
    result = run(good).result_for_solid("work")
    assert (result.output("small"), result.output_value("large")) == (1, 100)


def test_result_values() -> None:
    """`result_values` is `outputs`: those that were yielded."""
    assert run(good).result_for_solid("work").outputs == {"small": 1, "large": 100}


def test_the_result_of_a_solid_that_failed() -> None:
    """There is no value: asking for it is an error; 2019 gave `None`, which is a value too."""
    result = run(bad).result_for_solid("boom")
    with pytest.raises(SolidstateError) as caught:
        result.output()
    assert (str(caught.value), result.outputs) == ("`boom` has no output `result` in this run.", {})


def test_skipped() -> None:
    """`SolidExecutionResult.skipped`; it is no success."""
    result = run(bad).result_for_solid("show")
    assert (result.skipped, result.success, result.failure) == (True, False, None)


def test_failure_data() -> None:
    """`failure_data`: the error and the author's facts."""
    failure = run(bad).result_for_solid("boom").failure
    assert failure is not None
    assert (failure.type, failure.message, failure.metadata) == ("Failure", "no", {"number": 1})


def test_all_failures() -> None:
    """By step."""

    def body() -> None:
        number = one()
        boom(number)
        boom.alias("bang")(number)

    assert list(run(body).failures) == ["boom", "bang"]


def test_materializations() -> None:
    """`materializations_during_compute`."""
    assert [m.label for m in run(good).result_for_solid("work").materializations] == ["table"]


def test_expectations() -> None:
    """`expectation_results_during_compute`."""
    assert [e.label for e in run(good).result_for_solid("work").expectations] == ["there"]


@pytest.mark.parametrize(("kind", "names"), [("step_input", ["number"]), ("step_output", ["small", "large"])])
def test_input_and_output_events(kind: str, names: list[str]) -> None:
    """`input_events_during_compute` and `output_events_during_compute`."""
    events: list[Any] = run(good).result_for_solid("work").events_of_kind(kind)
    assert [event.name for event in events] == names


def test_the_success_event() -> None:
    """`get_step_success_event()`."""
    assert [kind_of(event) for event in run(good).result_for_solid("work").events][-1] == "step_success"


def test_the_iterator() -> None:
    """`execute_pipeline_iterator` gives each event when it happens, and the result at the end."""
    iterator = execute_pipeline_iterator(built(good))
    assert kind_of(next(iterator)) == "run_start"
    assert kind_of(list(iterator)[-1]) == "run_success"
    assert iterator.result.output("work", "small") == 1


def test_a_solid_alone_with_inputs() -> None:
    """`execute_solid(solid, input_values=...)`."""
    assert execute_solid(work, inputs={"number": 2}).outputs == {"small": 2, "large": 200}


def test_a_solid_alone_with_config() -> None:
    """A mapping, as 2019's `environment_dict`, or the config itself."""
    assert execute_solid(scale, inputs={"number": 2}, config={"factor": 5}).output() == 10
    assert execute_solid(scale, inputs={"number": 2}, config=Factor(6)).output() == 12


def test_a_solid_alone_with_resources() -> None:
    """`mode_def=` is the resources themselves."""
    assert execute_solid(query, resources={"db": "fake"}).output() == "fake"


def test_a_solid_alone_checks_its_inputs() -> None:
    """Like anywhere else."""
    result = execute_solid(show, inputs={"number": "x"}, raise_on_error=False)
    assert not result.success
    with pytest.raises(PipelineFailed):
        execute_solid(show, inputs={"number": "x"})


def test_a_solid_alone_raises() -> None:
    """From its own exception."""
    with pytest.raises(PipelineFailed) as caught:
        execute_solid(boom, inputs={"number": 1})
    assert isinstance(caught.value.__cause__, Failure)


def test_solids_within_a_pipeline() -> None:
    """`execute_solids_within_pipeline` is `steps` in the request."""
    result = execute_pipeline(built(good), {"steps": "one"})
    assert statuses(result) == {"one": "success", "work": "not selected"}


def test_with_a_preset() -> None:
    """`execute_pipeline_with_preset` is `preset` in the request."""
    presets = [Preset("sample", run_config={"solids": {"scale": {"config": {"factor": 7}}}})]
    assert run(lambda: scale(one()), {"preset": "sample"}, presets=presets).output("scale") == 7


def test_with_a_mode() -> None:
    """`RunConfig(mode=...)` is `mode` in the request."""
    assert run(query, {"mode": "b"}, modes=[Mode("a", {"db": 1}), Mode("b", {"db": 2})]).output("query") == 2


def test_a_run_has_tags() -> None:
    """Those of the request, over those of the pipeline; a body can read them."""

    @solid
    def look(context: Any) -> dict[str, str]:
        return dict(context.run_tags)

    result = run(look, {"tags": {"owner": "ops"}}, tags={"team": "data", "owner": "none"})
    assert result.output("look") == {"team": "data", "owner": "ops"}


def test_a_context_for_unit_tests() -> None:
    """A solid is called as the function it wraps, with a context that was built for it."""
    assert query(build_context(resources={"db": "fake"})) == "fake"


def test_values_are_those_that_were_stored() -> None:
    """Each call reads anew: changing what it gives changes nothing."""
    made: Any = solid(name="make")(lambda: [1])
    result = run(made)
    result.output("make").append(2)
    assert result.output("make") == [1]
