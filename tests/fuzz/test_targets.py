"""The fuzz targets in the suite: kept inputs, inputs that hypothesis makes, and the tools around them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.corpora import MAX_KEPT_BYTES, kept, lines_of, smallest
from tests.fuzz.draws import HOSTILE, Draws
from tests.fuzz.targets import NAMES, target

EXAMPLES = {"run_requests": 60, "run_records": 40, "step_payloads": 60, "stored_values": 60}
"""Of those that take more than a millisecond each; 150 of the others."""


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_our_own_errors(name: str) -> None:
    """Whatever bytes: the target's promises hold, and what is raised is one of our errors."""
    check = target(name)

    @settings(max_examples=EXAMPLES.get(name, 150))
    @given(st.binary(max_size=400))
    def holds(data: bytes) -> None:
        check(data)

    holds()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_kept_inputs_hold(name: str) -> None:
    """What once reached far, or broke a target, and each of it with a byte less and a byte changed."""
    check, inputs = target(name), kept(name)
    assert len(inputs) >= 2
    for one in inputs:
        check(one)
        check(one[:-1])
        check(bytes(byte ^ 1 if number == len(one) // 2 else byte for number, byte in enumerate(one)))


@pytest.mark.parametrize("name", NAMES)
def test_kept_inputs_are_few(name: str) -> None:
    """A few kilobytes a target, none of them twice."""
    inputs = kept(name)
    assert sum(map(len, inputs)) <= MAX_KEPT_BYTES + 2_048
    assert len(inputs) == len(set(inputs))


@pytest.mark.parametrize("name", NAMES)
def test_kept_inputs_reach_the_product(name: str) -> None:
    """A target that tried nothing could find nothing."""
    reached = {line for one in kept(name) for line in lines_of(target(name), one)}
    assert len(reached) >= {"plans": 8, "commit_objects": 30, "selections": 40, "key_parts": 40}.get(name, 60)


def told(value: Any) -> list[str]:
    """A document in pieces, however deep it is nested: Python's own ways of telling it have an end."""
    pieces: list[str] = []
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, (list, dict)):
            pieces.append(f"{type(one).__name__} of {len(one)}")
            todo += one if isinstance(one, list) else [part for pair in one.items() for part in pair]
        else:
            pieces.append(repr(one))
    return pieces


@example(b"\x04\x01\x00\x00\x07+\x01")
@given(st.binary(max_size=300))
def test_decisions_come_to_an_end(data: bytes) -> None:
    """Documents are made of any bytes, and the same bytes make the same one."""
    words = ("a", "b")
    document = {"a": [1, {"b": "c"}]}
    assert told(Draws(data).value(words)) == told(Draws(data).value(words))
    assert told(Draws(data).changed(document, words)) == told(Draws(data).changed(document, words))
    assert document == {"a": [1, {"b": "c"}]}


def test_decisions_reach_every_hostile_text() -> None:
    """Each of them by some bytes."""
    found = {Draws(bytes([4, number])).text() for number in range(len(HOSTILE))}
    assert found == set(HOSTILE)


def test_a_target_that_breaks_is_noticed() -> None:
    """An exception that is not ours leaves the target as it is; nothing is swallowed on the way."""

    def broken(data: bytes) -> None:
        if data.startswith(b"x"):
            raise KeyError("x")

    with pytest.raises(KeyError):
        lines_of(broken, b"x")
    assert smallest(target("selections"), [b"\x01read", b"\x01read", b"\x01read,read"])[0] == b"\x01read"
