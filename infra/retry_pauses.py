"""Retries without their pauses, on moto: a test of what happens after the third attempt need not wait for it."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from solidstate.infra.moto_inside import INTERPRETER, inside, swap

_RETRIER = f"{INTERPRETER.removeprefix('moto.')}.asl.component.common.retry.retrier_decl"


class _Hurried:
    """What moto's retrier knows of the module ``time``."""

    @staticmethod
    def sleep(seconds: float) -> None:  # noqa: ARG004 - the signature of what it stands in for
        """Let other threads run, and go on."""
        time.sleep(0)


@contextmanager
def without_pauses() -> Generator[None]:
    """No ``Retry`` waits until exit. ``Wait`` states do: they are somebody's own."""
    retrier = inside(_RETRIER)
    original = swap(retrier, "time", _Hurried)
    try:
        yield
    finally:
        swap(retrier, "time", original)
