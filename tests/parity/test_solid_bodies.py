"""What the body of a solid may give back, and how it may fail, as in 2019."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate import ExpectationResult, Failure, In, Materialization, Nothing, Out, Output, execute_solid, solid
from tests.parity.running import failed, run, statuses, undefined


class Greeting(msgspec.Struct):
    word: str
    times: int = 1


@solid
def one() -> int:
    return 1


@solid
def show(number: int) -> int:
    return number


def only(fn: Any, **options: Any) -> Any:
    """A run of one solid made of a function."""
    return run(solid(name="only", **options)(fn))


def test_a_plain_value_is_the_output() -> None:
    """A body may return the value itself."""
    assert only(lambda: 5).output("only") == 5


def test_an_output_may_be_returned() -> None:
    """A body may return an `Output`."""
    assert only(lambda: Output(5)).output("only") == 5


def test_an_output_may_be_yielded() -> None:
    """A body may be a generator of `Output`."""

    def body() -> Any:
        yield Output(5)

    assert only(body).output("only") == 5


def test_several_outputs_are_yielded_by_name() -> None:
    """Each `Output` says which of the declared ones it is; their order is free."""

    def body() -> Any:
        yield Output("b", "second")
        yield Output("a", "first")

    result = only(body, outs={"first": Out(str), "second": Out(str)})
    assert result.result_for_solid("only").outputs == {"second": "b", "first": "a"}


def test_a_solid_may_have_no_output() -> None:
    """With `outs={}`, for a solid that only acts."""
    assert only(lambda: None, outs={}).result_for_solid("only").outputs == {}


def test_a_solid_without_outputs_returns_nothing() -> None:
    """A value returned by a solid that declares no output fails the step."""
    assert failed(only(lambda: 5, outs={}), "only") == "`only` has no outputs but returned a `int`."


def test_one_value_for_several_outputs() -> None:
    """A value returned by a solid that declares several outputs fails the step."""
    assert failed(only(lambda: 5, outs={"a": Out(int), "b": Out(int)}), "only") == (
        "`only` has 2 outputs (`a`, `b`) but returned a `int`."
    )


def test_a_tuple_for_several_outputs() -> None:
    """A tuple with a value for each, in the order they were declared, is taken; 2019 refused it."""
    assert only(lambda: (1, 2), outs={"a": Out(int), "b": Out(int)}).result_for_solid("only").outputs == {
        "a": 1,
        "b": 2,
    }


def test_none_is_a_value() -> None:
    """Returning nothing is an output like others where the type allows it."""
    assert only(lambda: None).result_for_solid("only").outputs == {"result": None}


@pytest.mark.parametrize(
    "event", [Materialization("table"), ExpectationResult(success=True)], ids=lambda e: type(e).__name__
)
def test_a_bare_event_is_no_result(event: Any) -> None:
    """Returning a `Materialization` or an `ExpectationResult` instead of yielding it is an error."""
    assert failed(only(lambda: event), "only") == f"`only` returned a bare `{type(event).__name__}`."


def test_a_required_output_must_come() -> None:
    """A body that ends without a required output fails."""

    def body() -> Any:
        yield Materialization("nothing else")

    assert failed(only(body), "only") == "`only` ended without its output `result`."


def test_an_undeclared_output_is_refused() -> None:
    """An `Output` of a name that was not declared fails the step."""
    assert (
        failed(only(lambda: Output(1, "other")), "only") == "`only` produced an output 'other'; it declares `result`."
    )


def test_an_output_comes_once() -> None:
    """The same output twice fails the step."""

    def body() -> Any:
        yield Output(1)
        yield Output(2)

    assert failed(only(body), "only") == "`only` produced its output `result` twice."


def test_only_events_can_be_yielded() -> None:
    """Yielding a plain value fails the step."""

    def body() -> Any:
        yield 5

    assert failed(only(body), "only") == (
        "`only` yielded a `int`; a solid yields Output, Materialization or ExpectationResult."
    )


def test_an_optional_output_may_stay_out() -> None:
    """Everything downstream of it is skipped, and the run succeeds."""

    @solid(outs={"some": Out(int, optional=True)})
    def maybe() -> Any:
        yield from ()

    result = run(lambda: show.alias("last")(show(maybe())))
    assert (statuses(result), result.success) == ({"maybe": "success", "show": "skipped", "last": "skipped"}, True)


def test_one_of_two_optional_outputs() -> None:
    """A branch: only what is downstream of the output that came is run."""

    @solid(outs={"yes": Out(int, optional=True), "no": Out(int, optional=True)})
    def branch() -> Any:
        yield Output(1, "yes")

    def body() -> None:
        sides = branch()
        show.alias("taken")(sides.yes)
        show.alias("left")(sides.no)

    assert statuses(run(body)) == {"branch": "success", "taken": "success", "left": "skipped"}


def test_a_failure_carries_facts() -> None:
    """`Failure` has a description and metadata, which are kept with the step's failure."""

    def body() -> Any:
        raise Failure("too few rows", {"rows": 3})

    error = only(body).result_for_solid("only").failure
    assert (error.type, error.message, error.metadata) == ("Failure", "too few rows", {"rows": 3})


def test_any_exception_fails_the_step() -> None:
    """Type, message and traceback are kept, and what is downstream is skipped."""

    @solid
    def boom() -> int:
        raise LookupError("nothing there")

    result = run(lambda: show(boom()))
    error = result.result_for_solid("boom").failure
    assert error is not None
    assert (error.type, error.message, "nothing there" in error.traceback) == ("LookupError", "nothing there", True)
    assert statuses(result) == {"boom": "failed", "show": "skipped"}


def test_config_reaches_the_body() -> None:
    """What the request says under `solids.<name>.config`, with defaults filled in; typed here, a dict in 2019."""

    @solid
    def greet(context: Any, config: Greeting) -> str:
        assert context.config is config
        return " ".join([config.word] * config.times)

    assert run(greet, {"solids": {"greet": {"config": {"word": "hi", "times": 2}}}}).output("greet") == "hi hi"


def test_tags_of_a_solid_reach_its_body() -> None:
    """2019 called them metadata: facts for tools, kept with the definition."""

    @solid(tags={"kind": "sql"})
    def query(context: Any) -> dict[str, str]:
        return dict(context.tags)

    assert (query.tags, run(query).output("query")) == ({"kind": "sql"}, {"kind": "sql"})


def test_the_context_knows_the_run() -> None:
    """Run id, pipeline and step."""

    @solid
    def who(context: Any) -> list[str]:
        return [context.run_id, context.pipeline, context.step_key]

    result = run(who.alias("me"))
    assert result.output("me") == [result.run_id, "p", "me"]


def test_a_solid_called_outside_of_a_pipeline() -> None:
    """It is the function it wraps, so that unit tests need nothing else; 2019 refused the call."""
    assert show(4) == 4


def test_parameters_must_be_named() -> None:
    """Neither `*args` nor `**kwargs` can be inputs."""

    def body(*numbers: int) -> None: ...

    assert undefined(lambda: solid(body)) == (
        "Parameter `*numbers` of solid `body` cannot be an input: inputs are passed by name.\n"
        "  fix: name every input; take a `list[...]` for any number of them"
    )


def test_a_declared_input_needs_its_parameter() -> None:
    """What `ins=` names must be a parameter of the function."""

    def body() -> None: ...

    assert undefined(lambda: solid(ins={"rows": In(int)})(body)) == (
        "`ins` of solid `body` declares `rows`, but its function has no parameter of that name.\n"
        "  fix: add the parameter `rows`, or declare `In(Nothing)` for an ordering-only input"
    )


def test_an_ordering_input_needs_none() -> None:
    """An input of type `Nothing` is declared in `ins=` alone."""

    def body() -> None: ...

    assert [inp.name for inp in solid(ins={"done": In(Nothing)})(body).inputs] == ["done"]


def test_a_solid_runs_alone() -> None:
    """`execute_solid` runs it without a pipeline around it."""
    assert execute_solid(show, inputs={"number": 4}).output() == 4
