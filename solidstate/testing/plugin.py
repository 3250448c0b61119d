"""The pytest plugin: fixtures for tests of pipelines. Nothing is opened before a test asks, nothing heavy is imported.

``local_stack`` is what tests ask for. ``local_stack_account`` is the local AWS below it, one for the session and for
each worker of pytest-xdist; a project that wants it closed sooner overrides it with a narrower scope.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from solidstate.testing.account import Account
    from solidstate.testing.stack import LocalStack


@pytest.fixture(scope="session")
def local_stack_account() -> Iterator[Account]:
    """A local AWS on moto, with what was deployed into it, until the end of the session."""
    from solidstate.testing.account import open_account

    with open_account() as account:
        yield account


@pytest.fixture
def local_stack(local_stack_account: Account) -> Iterator[LocalStack]:
    """A running stack on this machine: ``local_stack.run(pipeline, request)``. Each test has a bucket of its own."""
    from solidstate.testing.stack import stack_of

    with stack_of(local_stack_account) as stack:
        yield stack
