"""What a definition that can never run is told, word for word."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest

from solidstate import (
    Compute,
    In,
    Mode,
    Nothing,
    Out,
    Output,
    Preset,
    RetryPolicy,
    pipeline,
    pipeline_from_dependencies,
    resource,
    solid,
)
from solidstate.errors import DefinitionError
from tests.author.golden_texts import compare

Case = Callable[[], Any]


@solid
def one() -> int:
    return 1


@solid
def plus(number: int) -> int:
    return number + 1


@solid(outs={"late": Out(int), "count": Out(int)})
def split(number: int) -> Any:
    yield Output(number, "late")
    yield Output(number, "count")


class Plain:
    """No schema knows it."""


class Untagged(msgspec.Struct):
    first: int


class Other(msgspec.Struct):
    second: int


class Ambiguous(msgspec.Struct):
    source: Untagged | Other


class Opaque(msgspec.Struct):
    thing: Plain


def loose(callee: Any) -> Any:
    """The same, for arguments a type checker would refuse: they are what is tested."""
    return callee


def body(build: Callable[[], Any], **options: Any) -> Any:
    """A pipeline called `p` with this body."""

    def p() -> None:
        build()

    return pipeline(**options)(p)


def takes(annotation: Any, **options: Any) -> Any:
    """A solid called `s` whose input `value` has this annotation."""

    def s(value: Any) -> None: ...

    s.__annotations__["value"] = annotation
    return solid(**options)(s)


def config_of_type(annotation: Any) -> Any:
    """A solid called `s` with this type of config."""

    def s(config: Any) -> None: ...

    s.__annotations__["config"] = annotation
    return solid(s)


def method() -> Any:
    class Reader:
        @solid
        def read(self, path: str) -> str:
            return path

    return Reader


def coroutine() -> Any:
    async def fetch() -> None: ...

    return resource(fetch)


def variadic() -> Any:
    def s(*values: int, **named: int) -> None: ...

    return solid(s)


def unresolved() -> Any:
    def s(value: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - what is tested

    return solid(s)


def many() -> Any:
    def s(value: Any) -> None: ...

    arguments: Any = {"ins": {"value": int, "lost": In(int)}, "retry": 3, "compute": "big", "resources": 5, "tags": "a"}
    return solid(**arguments)(s)


def parameters() -> Any:
    def p(size: int) -> None: ...

    return loose(pipeline)(p)


def foreign() -> Any:
    handles: list[Any] = []
    body(lambda: handles.append(one()), name="first")
    return body(lambda: plus(handles[0]))


def cycle() -> Any:
    return pipeline_from_dependencies(
        "p", [plus, plus.alias("again")], {"plus": {"number": "again"}, "again": {"number": "plus"}}
    )


@resource
def clock(calendar: Any) -> None: ...


@resource
def calendar(clock: Any) -> None: ...


@solid(resources={"clock"})
def timed() -> None: ...


CASES: dict[str, Case] = {
    "solid: not a function": lambda: loose(solid)("read"),
    "solid: a class": lambda: solid(Plain),
    "solid: twice": lambda: solid(one),
    "solid: a lambda without a name": lambda: solid(lambda: 1),
    "resource: a coroutine": coroutine,
    "solid: a method": method,
    "solid: a builtin": lambda: solid(len),
    "solid: a builtin without a signature": lambda: solid(functools.partial(getattr, object)),
    "solid: variadic": variadic,
    "solid: empty name": lambda: solid(name="")(lambda: 1),
    "solid: dots": lambda: solid(name="..")(lambda: 1),
    "solid: NUL": lambda: solid(name="a\0b")(lambda: 1),
    "solid: escape codes": lambda: solid(name="\x1b[31mred\n\u202eder")(lambda: 1),
    "solid: long name": lambda: solid(name="x" * 10_000)(lambda: 1),
    "solid: name of another type": lambda: loose(solid)(name=5)(lambda: 1),
    "solid: hint that does not resolve": unresolved,
    "solid: a value for a type": lambda: takes([int]),
    "solid: text for a type": lambda: takes(int, ins={"value": In("int")}),
    "solid: a limit that does not fit": lambda: takes(Annotated[str, msgspec.Meta(gt=0)]),
    "solid: Nothing with a parameter": lambda: takes(Nothing),
    "solid: every argument wrong": many,
    "solid: ins without a parameter": lambda: takes(int, ins={"lost": In(int)}),
    "solid: outs is a list": lambda: loose(solid)(outs=["late"])(lambda: 1),
    "solid: output name": lambda: takes(int, outs={"a b": Out(int)}),
    "config: not a Struct": lambda: config_of_type(dict[str, int]),
    "config: ambiguous": lambda: config_of_type(Ambiguous),
    "config: opaque": lambda: config_of_type(Opaque),
    "alias": lambda: one.alias("no way"),
    "retry: attempts": lambda: RetryPolicy(max_attempts=0),
    "retry: backoff": lambda: loose(RetryPolicy)(backoff="2"),
    "retry: jitter": lambda: loose(RetryPolicy)(jitter="full"),
    "retry: ceiling": lambda: RetryPolicy(delay_s=10, max_delay_s=5),
    "retry: ceiling is text": lambda: loose(RetryPolicy)(max_delay_s="60"),
    "compute: memory": lambda: Compute(memory_mb=64),
    "compute: time": lambda: loose(Compute)(timeout_s=901.5),
    "resource: variadic": lambda: resource(name="r")(lambda *others: 1),
    "mode: name": lambda: Mode("../prod"),
    "mode: resources": lambda: loose(Mode)("local", resources=["clock"]),
    "preset: run_config": lambda: loose(Preset)("sample", run_config=["a"]),
    "pipeline: no solids": lambda: body(lambda: None),
    "pipeline: a class": lambda: pipeline(Plain),
    "pipeline: parameters": parameters,
    "pipeline: a body that raises": lambda: body(lambda: 1 // 0),
    "pipeline: arithmetic on an output": lambda: body(lambda: one() + 1),
    "pipeline: name twice": lambda: body(lambda: (one(), one())),
    "pipeline: a value for an output": lambda: body(lambda: plus(3)),
    "pipeline: a solid that is not called": lambda: body(lambda: plus(one)),  # type: ignore[call-overload]  # wrong
    "pipeline: a generator": lambda: body(lambda: plus(one() for _ in "a")),  # type: ignore[call-overload]  # wrong
    "pipeline: an empty list": lambda: body(lambda: plus([])),
    "pipeline: all outputs at once": lambda: body(lambda: plus(split(one()))),
    "pipeline: unknown output": lambda: body(lambda: plus(split(one()).lat)),
    "pipeline: unknown output by key": lambda: body(lambda: plus(split(one())[7])),
    "pipeline: too many arguments": lambda: body(lambda: plus(one(), 2)),  # type: ignore[call-overload]  # wrong
    "pipeline: unknown keyword": lambda: body(lambda: plus(numbr=one())),
    "pipeline: input given twice": lambda: body(lambda: plus(one(), number=one.alias("b")())),
    "pipeline: another pipeline's output": foreign,
    "pipeline: if": lambda: body(lambda: 1 if one() else 2),
    "pipeline: comparison": lambda: body(lambda: one() == 1),
    "pipeline: loop": lambda: body(lambda: list(one())),
    "pipeline: attribute": lambda: body(lambda: one().value),
    "pipeline: element": lambda: body(lambda: one()["a"]),
    "pipeline: an input nobody can give": lambda: body(takes(Plain)),
    "pipeline: ordering nobody gives": lambda: body(solid(name="s", ins={"after": In(Nothing)})(lambda: 1)),
    "pipeline: nothing for something": lambda: body(
        lambda: plus(solid(name="s", outs={"done": Out(Nothing)})(lambda: None)())
    ),
    "pipeline: a resource no mode has": lambda: body(timed, modes=[Mode("local", {"clok": 1}), Mode("prod")]),
    "pipeline: resources in a circle": lambda: body(one, modes=[Mode("m", {"clock": clock, "calendar": calendar})]),
    "pipeline: modes of one name": lambda: body(one, modes=[Mode("m"), Mode("m")]),
    "pipeline: preset for no mode": lambda: body(one, modes=[Mode("m")], presets=[Preset("s", mode="n"), Preset("s")]),
    "pipeline: modes": lambda: body(one, modes=["local"], presets="s", tags=["a"]),
    "dependencies: cycle": cycle,
    "dependencies: everything": lambda: pipeline_from_dependencies(
        "p",
        [one, one, plus, 5],  # type: ignore[list-item]  # what is tested
        {"plus": {"number": "two", "numbr": "one"}, "minus": {"number": "one"}},
    ),
    "dependencies: references": lambda: pipeline_from_dependencies(
        "p",
        [one, plus, plus.alias("b")],
        {"plus": {"number": 5}, "b": {"number": []}},  # type: ignore[dict-item]  # tested
    ),
    "lookup": lambda: body(one).mode("defalt"),
}


def text_of(case: Case) -> str:
    """The whole text of the error, with files cut down to their name and without lines."""
    with pytest.raises(DefinitionError) as caught:
        case()
    return re.sub(r"at: \S*/(\w+\.py):\d+", r"at: \1", str(caught.value))


def test_every_text_is_the_golden_one() -> None:
    """Each case raises a DefinitionError whose whole text is on file."""
    compare("definition", {name: text_of(case) for name, case in CASES.items()})


@pytest.mark.parametrize("name", CASES)
def test_every_text_says_how_to_go_on(name: str) -> None:
    """A problem is a sentence on one line, and comes with one way to fix it."""
    with pytest.raises(DefinitionError) as caught:
        CASES[name]()
    for error in getattr(caught.value, "items", (caught.value,)):
        assert error.problem.endswith(".")
        assert error.problem.isprintable()
        assert error.hint
        assert len(str(error)) < 700
