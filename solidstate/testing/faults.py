"""Faults to run into on purpose: ``with local_stack.faults(step="join").kill("before commit"): ...``

They strike between Step Functions and the function, and between the function and S3: the places where AWS has them. No
code of a solid is changed. A fault that nothing ran into is an error at the end of its ``with`` block, because the test
would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

from solidstate.errors import SolidstateError, name_list, shown
from solidstate.infra.time_limits import Killed
from solidstate.testing.fault_kinds import (
    MOMENTS,
    Broken,
    Duplicate,
    Fault,
    Moment,
    Throttle,
    Unavailable,
)


class InjectedFailure(Exception):
    """What ``fail`` makes an attempt raise, unless it is told otherwise."""


class Faults:
    """The faults there are, for one ``step`` (and one ``item`` of a mapped one) or for whatever comes first. Each is a
    context manager and gives the :class:`Fault`, whose ``count`` is how often it struck."""

    def __init__(self, active: list[Fault], step: str | None, item: str | None) -> None:
        self._active = active
        self._step = step
        self._item = item

    def throttle(self, times: int = 1) -> AbstractContextManager[Fault]:
        """Lambda refuses ``times`` invocations with ``Lambda.TooManyRequestsException``."""
        return self._on(Throttle(self._step, self._item, times))

    def duplicate(self, times: int = 1) -> AbstractContextManager[Fault]:
        """``times`` invocations are delivered twice, at the same time."""
        return self._on(Duplicate(self._step, self._item, times))

    def fail(
        self, moment: Moment = "before commit", *, times: int = 1, error: Callable[[], Exception] | None = None
    ) -> AbstractContextManager[Fault]:
        """``times`` attempts raise, as if the solid did: ``error()``, an InjectedFailure unless given. ``moment`` is
        ``"before commit"`` (all is computed, nothing counts yet), ``"after commit"``, or ``"output"`` (before the first
        output is stored)."""
        make = error or (lambda: InjectedFailure(f"made to fail at `{moment}`"))
        return self._on(Broken(self._step, self._item, times, _checked(moment), make, killed=False))

    def kill(self, moment: Moment = "before commit", *, times: int = 1) -> AbstractContextManager[Fault]:
        """``times`` attempts die at that moment, as a process does: ``Runtime.ExitError``, and no event of their end.
        What is imitated in a thread runs its ``finally`` blocks, but nothing of it reaches the store any more."""
        return self._on(Broken(self._step, self._item, times, _checked(moment), Killed, killed=True))

    def s3_unavailable(self, times: int = 1) -> AbstractContextManager[Fault]:
        """``times`` calls to the store of runs fail as after all retries of the client. ``context.fs`` and clients of a
        solid's own are not concerned."""
        return self._on(Unavailable(self._step, self._item, times))

    def _on(self, fault: Fault) -> AbstractContextManager[Fault]:
        return _switched_on(self._active, fault)


@contextmanager
def _switched_on(active: list[Fault], fault: Fault) -> Generator[Fault]:
    active.append(fault)
    try:
        yield fault
    finally:
        active.remove(fault)
    fault.check_met()


def _checked(moment: Moment) -> Moment:
    if moment not in MOMENTS:
        raise SolidstateError(
            f"There is no moment {shown(moment)} of an attempt; there are {name_list(MOMENTS)}.",
            subject="moment",
            hint='write `kill("before commit")`',
        )
    return moment
