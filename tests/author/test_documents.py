"""Documents are bounded before anything walks them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from solidstate.documents import MAX_DEPTH, MAX_REQUEST_BYTES, document_problem, plain


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_limits() -> None:
    """At a limit is right, beyond it is not."""
    assert document_problem(nested(MAX_DEPTH - 1)) is None
    assert document_problem(nested(MAX_DEPTH)) is not None
    assert document_problem("x" * (MAX_REQUEST_BYTES - 2)) is None
    assert document_problem("x" * (MAX_REQUEST_BYTES - 1)) is not None


def test_aliases_to_aliases_cost_little() -> None:
    """A document of a few lines that stands for billions of values is refused at once."""
    bomb: Any = "x"
    for _ in range(30):
        bomb = [bomb] * 10
    began = time.thread_time()
    assert document_problem(bomb) is not None
    assert time.thread_time() - began < 2


def test_plain_forms() -> None:
    """Paths are text; what has no form is an error, never its repr."""
    assert plain({"a": Path("x"), "b": (1, b"a")}) == {"a": "x", "b": [1, "YQ=="]}
    with pytest.raises(TypeError, match="is of type `object`"):
        plain({"a": object()})
