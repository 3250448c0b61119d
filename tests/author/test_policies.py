"""Policies refuse what the services would, where they are written."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import Compute, RetryPolicy
from solidstate.errors import DefinitionError


@pytest.mark.parametrize(
    "given", [{}, {"max_attempts": 100}, {"backoff": 1}, {"delay_s": 10, "max_delay_s": 11}, {"jitter": True}]
)
def test_good_retries(given: dict[str, Any]) -> None:
    """Values at the limits are taken as they are."""
    policy = RetryPolicy(**given)
    assert {key: getattr(policy, key) for key in given} == given


@pytest.mark.parametrize(
    "given",
    [
        {"max_attempts": 0},
        {"max_attempts": True},
        {"max_attempts": "3"},
        {"delay_s": 0.5},
        {"backoff": 0.9},
        {"backoff": float("nan")},
        {"backoff": float("inf")},
        {"backoff": True},
        {"backoff": None},
        {"max_delay_s": 1},
        {"max_delay_s": 2.5},
        {"max_delay_s": "60"},
        {"max_delay_s": 31_622_401},
        {"jitter": 1},
    ],
)
def test_bad_retries(given: dict[str, Any]) -> None:
    """A value of the wrong type or beyond a limit is a DefinitionError that names the field."""
    with pytest.raises(DefinitionError, match=rf"^`RetryPolicy\.{next(iter(given))}` must be "):
        RetryPolicy(**given)


@pytest.mark.parametrize(
    "given", [{"memory_mb": 127}, {"memory_mb": 10_241}, {"timeout_s": 0}, {"ephemeral_mb": 511}, {"timeout_s": None}]
)
def test_bad_machines(given: dict[str, Any]) -> None:
    """Lambda's quotas hold when a solid is declared."""
    with pytest.raises(DefinitionError, match=rf"^`Compute\.{next(iter(given))}` must be a whole number from "):
        Compute(**given)
