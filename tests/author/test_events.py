"""Events travel as NDJSON, and no fact a user adds keeps one from being written."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.events import (
    AnyEvent,
    ErrorInfo,
    LogMessage,
    RunStart,
    StepFailure,
    StepOutput,
    decode_events,
    encode_events,
    kind_of,
    plain_metadata,
)

WHO: dict[str, Any] = {"run": "r", "pipeline": "p", "seq": 1, "time": 1.5, "elapsed_s": 0.5}


class Hostile:
    def __str__(self) -> str:
        raise ZeroDivisionError

    __repr__ = __str__


def test_events_go_both_ways() -> None:
    """One line each, told apart by kind, equal after a round trip."""
    events: list[AnyEvent] = [
        RunStart(**WHO, mode="local", plan="0" * 16, steps=3),
        StepOutput(**WHO, name="result", type="int", codec="json", size=1, sha256="a", metadata={"rows": [1, None]}),
        StepFailure(**WHO, duration_s=1.0, error=ErrorInfo("ValueError", "no\nway")),
    ]
    data = encode_events(events)
    assert data.count(b"\n") == 3
    assert decode_events(data) == events
    assert [kind_of(event) for event in events] == ["run_start", "step_output", "step_failure"]


def test_an_unknown_kind_is_refused() -> None:
    """A reader of an older version says so rather than guess."""
    with pytest.raises(msgspec.ValidationError):
        decode_events(b'{"kind":"later"}\n')


@pytest.mark.parametrize(
    ("given_", "plain"),
    [
        ({"rows": 5, "day": datetime.date(2013, 1, 31)}, {"rows": 5, "day": "2013-01-31"}),
        ({1: {2: {3}}}, {"1": {"2": [3]}}),
        ({"bad": Hostile(), "good": 1}, {"bad": "<Hostile whose repr() fails>", "good": 1}),
        ({"half": "\ud800"}, {"half": "'\\ud800'"}),
        ({"large": 10**5000}, {"large": "<int whose repr() fails>"}),
        ([1, 2], {"value": [1, 2]}),
        (None, {"value": None}),
        ({"mean": float("nan"), "odds": [float("inf"), (1, 2)]}, {"mean": None, "odds": [None, [1, 2]]}),
    ],
)
def test_metadata_becomes_json(given_: Any, plain: Any) -> None:
    """What JSON cannot hold becomes text, one fact at a time."""
    assert plain_metadata(given_) == plain


FACTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(Hostile),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(FACTS)
def test_any_metadata_can_be_written(facts: Any) -> None:
    """Whatever a user attaches, the event is encoded, and read back as it was."""
    cyclic: dict[Any, Any] = {"facts": facts}
    cyclic["self"] = cyclic
    for metadata in (facts, {"facts": facts}, cyclic):
        event = LogMessage(**WHO, level="info", message="m", fields=plain_metadata(metadata))
        assert decode_events(encode_events([event])) == [event]
