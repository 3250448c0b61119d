"""The local AWS of these tests ends with each module: while it is open, no other test can open one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from solidstate.testing.account import Account, open_account


@pytest.fixture(scope="module")
def local_stack_account() -> Iterator[Account]:
    """In place of the plugin's, which lasts for the session."""
    with open_account() as account:
        yield account
