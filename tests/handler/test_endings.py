"""How an attempt ends: what is waited for in the function itself, and what becomes of lost races."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from solidstate import RetryPolicy, RetryRequested, pipeline_from_dependencies, solid

if TYPE_CHECKING:
    from tests.handler.conftest import Bench


@solid(retry=RetryPolicy(max_attempts=2, delay_s=10))
def busy() -> None:
    raise RetryRequested("busy", delay_s=60)


@solid(retry=RetryPolicy(max_attempts=2, delay_s=10))
def broken() -> None:
    raise OSError("no")


@pytest.mark.parametrize(("timeout_s", "pause"), [(900, 50.0), (40, 38.0), (1, 0.0)])
def test_a_pause_beyond_the_policy_is_waited_for_here(bench: type[Bench], timeout_s: float, pause: float) -> None:
    """The state machine waits what the policy says; the rest is ours, as far as the function has time for it and for
    its answer. Nothing is waited for behind the last attempt, nor when nothing was asked for."""
    slept: list[float] = []
    run = bench(pipeline_from_dependencies("pauses", [busy, broken], {}))
    run.runtime.sleep = slept.append
    with pytest.raises(Exception, match="busy"):
        run.step("busy", timeout_s=timeout_s)
    assert slept == [pytest.approx(pause, abs=0.5)]
    for name, retry in (("busy", 1), ("broken", 0), ("broken", 1)):
        run.fails(name, retry)
    assert len(slept) == 1
