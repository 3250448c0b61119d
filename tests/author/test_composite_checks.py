"""Types of composites against those of the solids at both ends, when a pipeline is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from solidstate import DynamicOut, DynamicOutput, composite_solid, pipeline, solid
from solidstate.errors import DefinitionError


@solid
def one() -> int:
    return 1


@solid
def whatever() -> Any:
    return 1


@solid
def shown(value: Any) -> str:
    return str(value)


@solid
def plus(number: int) -> int:
    return number + 1


@solid
def total(numbers: list[int]) -> int:
    return sum(numbers)


@solid(outs={"items": DynamicOut(int)})
def several() -> Any:
    yield DynamicOutput(1, "a", "items")


def built(body: Callable[[], Any]) -> str:
    """What is wrong with a pipeline of this body; empty when nothing is."""
    try:
        pipeline(name="p")(body)
    except DefinitionError as error:
        return str(error)
    return ""


@composite_solid
def wants_text(text: str) -> Any:
    return shown(text)


@composite_solid
def misleads(text: str) -> Any:
    return plus(text)  # type: ignore[arg-type]  # this is the mistake


@composite_solid
def promises_list(value: Any) -> list[str]:
    return shown(value)  # type: ignore[no-any-return]  # this is the mistake


@composite_solid
def outer(text: Any) -> Any:
    return wants_text(text)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            lambda: wants_text(one()),
            "Output `result` of `one` is `int`, but input `text` of composite `wants_text` expects `str`, and no value "
            "is both.\n  at: p.wants_text.text\n  fix: correct one of the annotations",
        ),
        (
            lambda: misleads(whatever()),
            "Input `text` of composite `misleads` is `str`, but input `number` of `misleads.plus` inside expects "
            "`int`, and no value is both.\n  at: p.misleads.text\n  fix: correct one of the annotations",
        ),
        (
            lambda: promises_list(one()),
            "Output `result` of `promises_list.shown` is `str`, but composite `promises_list` declares its output "
            "`result` as `list[str]`, and no value is both.\n  at: p.promises_list.result\n"
            "  fix: correct one of the annotations",
        ),
        (
            lambda: outer(one()),
            "Output `result` of `one` is `int`, but input `text` of composite `outer.wants_text` expects `str`, and no "
            "value is both.\n  at: p.outer.wants_text.text\n  fix: correct one of the annotations",
        ),
    ],
    ids=["what comes in", "what is passed on", "what goes out", "nested"],
)
def test_what_can_be_proved_is_told(body: Callable[[], Any], text: str) -> None:
    """A composite's annotation that fits neither what feeds it nor what is inside."""
    assert built(body) == text


@composite_solid
def listed(number: int, other: int) -> Any:
    return total([number, other])


@composite_solid
def each(number: int) -> int:
    return plus(number)


@composite_solid
def collected() -> list[int]:
    mapped: Any = several().map(plus)
    return mapped.collect()  # type: ignore[no-any-return]  # a handle


def test_what_may_fit_is_left_alone() -> None:
    """Any on either side, values put into a list inside, items of a map, lists of all items."""
    assert built(lambda: wants_text(whatever())) == ""
    assert built(lambda: listed(one(), one.alias("uno")())) == ""
    assert built(lambda: total(several().map(each).collect())) == ""
    assert built(lambda: total(collected())) == ""
