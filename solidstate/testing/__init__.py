"""For tests of what is built with solidstate: a local AWS to run pipelines on, faults to run into, steps to replay.

The fixture ``local_stack`` is there wherever solidstate and pytest are installed. The names below are loaded when they
are asked for: pytest reads this package at every start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solidstate.testing.account import open_account
    from solidstate.testing.fault_kinds import Fault, FaultNotMet
    from solidstate.testing.faults import Faults, InjectedFailure
    from solidstate.testing.faulty_s3 import FaultyS3, open_faulty_s3
    from solidstate.testing.replay import replay_step
    from solidstate.testing.stack import LocalStack, open_local_stack

__all__ = [
    "Fault",
    "FaultNotMet",
    "Faults",
    "FaultyS3",
    "InjectedFailure",
    "LocalStack",
    "open_account",
    "open_faulty_s3",
    "open_local_stack",
    "replay_step",
]

_LATE = {
    "Fault": "fault_kinds",
    "FaultNotMet": "fault_kinds",
    "Faults": "faults",
    "FaultyS3": "faulty_s3",
    "InjectedFailure": "faults",
    "LocalStack": "stack",
    "open_faulty_s3": "faulty_s3",
    "open_account": "account",
    "open_local_stack": "stack",
    "replay_step": "replay",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
