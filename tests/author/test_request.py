"""A right request becomes plain data, with its preset below it."""

from __future__ import annotations

import contextlib
import datetime
import types
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate import In, Mode, Nothing, Preset, SolidType, pipeline, resource, solid
from solidstate.documents import merge, plain, written
from solidstate.errors import RequestErrors
from solidstate.request import RunRequest, resolve_request


class ReadConfig(msgspec.Struct):
    path: str
    day: datetime.date | None = None
    options: dict[int, Any] = {}


class ClockConfig(msgspec.Struct):
    zone: str = "UTC"


class Opaque:
    """Config cannot give it."""


@resource
def clock(config: ClockConfig) -> None: ...


@solid
def read(config: ReadConfig) -> list[int]:
    return []


@solid(ins={"after": In(Nothing)})
def scale(numbers: list[int], factor: Annotated[int, SolidType("Factor")], opaque: Opaque | None = None) -> list[int]:
    return numbers


@pipeline(
    modes=[Mode("local"), Mode("prod", {"clock": clock})],
    presets=[
        Preset(
            "sample",
            mode="local",
            run_config={
                "solids": {"read": {"config": {"path": "a.csv", "day": datetime.date(2013, 1, 31)}}},
                "tags": {"team": "ops"},
            },
        )
    ],
)
def flights() -> None:
    numbers = read()
    scale(numbers, after=numbers)


def config(**fields: Any) -> dict[str, Any]:
    return {"mode": "local", "solids": {"read": {"config": fields}, "scale": {"inputs": {"factor": 2}}}}


def test_a_preset_lies_below_what_is_written() -> None:
    """Mapping by mapping; the preset chooses the mode."""
    document = {
        "preset": "sample",
        "solids": {"read": {"config": {"path": "b.csv"}}, "scale": {"inputs": {"factor": 2}}},
    }
    assert resolve_request(flights, document) == RunRequest(
        "local",
        "sample",
        solids={
            "read": {"config": {"path": "b.csv", "day": "2013-01-31"}},
            "scale": {"inputs": {"factor": 2}},
        },
        tags={"team": "ops"},
    )


def test_a_heading_with_nothing_below_it_hides_nothing() -> None:
    """YAML reads `tags:` alone as null, and its author has said nothing about tags."""
    request = resolve_request(flights, config(path="a") | {"preset": "sample", "tags": None, "mode": None})
    assert (request.mode, request.tags) == ("local", {"team": "ops"})


def test_the_mode_is_optional_when_there_is_one() -> None:
    """`{}` is a right request when nothing is required."""

    @pipeline
    def small() -> None:
        solid(name="one")(lambda: 1)()

    assert resolve_request(small, {}) == resolve_request(small, None) == RunRequest("default")


def test_the_request_is_json_both_ways() -> None:
    """Whatever kind of object a Python caller or YAML uses, plain data comes out of it."""
    document = types.MappingProxyType(config(path="a", options={1: Path("x"), 2: {datetime.date(2013, 1, 31)}}))
    request = resolve_request(flights, document)
    assert request.solids["read"]["config"] == {"path": "a", "options": {"1": "x", "2": ["2013-01-31"]}}
    assert msgspec.json.decode(msgspec.json.encode(request), type=RunRequest) == request
    again = resolve_request(flights, msgspec.to_builtins(request))
    assert again == request


def test_config_may_be_the_object_itself() -> None:
    """A Python caller may write the Struct instead of a mapping."""
    given = config()
    given["solids"]["read"]["config"] = ReadConfig("a")
    assert resolve_request(flights, given).solids["read"]["config"] == {"path": "a", "day": None, "options": {}}


def test_steps_that_do_not_run_need_no_config() -> None:
    """What is missing is missing only for selected steps; what is written is judged for all."""
    assert resolve_request(flights, config(path="a") | {"steps": "read"}).steps == ["read"]
    only: dict[str, Any] = {"mode": "local", "solids": {"read": {"config": {"path": "a"}}}, "steps": "read"}
    assert resolve_request(flights, only).steps == ["read"]
    with pytest.raises(RequestErrors, match="Expected `int`"):
        resolve_request(flights, only | {"solids": only["solids"] | {"scale": {"inputs": {"factor": "x"}}}})


def test_a_reused_run_feeds_what_is_not_selected() -> None:
    """With `from_run` the upstream of a selected step may stay out."""
    request = resolve_request(flights, config(path="a") | {"steps": "scale", "from_run": "2026-11-22-abc"})
    assert (request.steps, request.from_run) == (["scale"], "2026-11-22-abc")


def test_an_input_config_cannot_give() -> None:
    """An input of a type no document can spell is refused even when it has a default."""
    given = config(path="a")
    given["solids"]["scale"]["inputs"]["opaque"] = 1
    with pytest.raises(RequestErrors) as caught:
        resolve_request(flights, given)
    assert str(caught.value) == (
        "Run request for pipeline `flights`: Input `opaque` of `scale` is of type `Opaque | None`, which config cannot "
        "give.\n  at: solids.scale.inputs.opaque\n  fix: remove it"
    )


DOCUMENTS = st.recursive(
    st.integers() | st.none() | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text("abc", min_size=1, max_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(st.text("abc", min_size=1, max_size=1), DOCUMENTS, max_size=3)


@given(MAPPINGS, MAPPINGS, MAPPINGS)
def test_merging_is_associative_and_above_wins(low: Any, middle: Any, high: Any) -> None:
    """Laying one on two is laying two, one after the other; laying a document on itself changes nothing."""
    assert merge(low, low) == low
    assert merge({}, low) == merge(low, {}) == low
    if not any(isinstance(one.get(key), dict) for key in "abc" for one in (low, middle, high)):
        assert merge(low, high) == {**low, **high}
    assert merge(merge(low, middle), merge(middle, high)) == merge(merge(low, middle), high)


@given(st.one_of(MAPPINGS, DOCUMENTS))
def test_any_document_is_right_or_refused(document: Any) -> None:
    """No document raises anything but RequestErrors."""
    for one in (document, {"mode": "local", "solids": document}, config(path=document, options=document)):
        with contextlib.suppress(RequestErrors):
            resolve_request(flights, one)


@given(MAPPINGS)
def test_plain_data_stays_as_it_is(document: Any) -> None:
    """JSON data is its own plain form, and null sections are all that is left out."""
    assert plain(document) == document
    assert written(document) == {key: value for key, value in document.items() if value is not None}
