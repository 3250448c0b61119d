"""The three stores, so that one suite holds for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidstate.storage.folder import FolderStore
from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import ObjectStore
from tests.conftest_s3 import s3_requests, s3_server, s3_store

__all__ = ["any_store", "s3_requests", "s3_server", "s3_store"]


@pytest.fixture(params=["memory", "folder", "s3"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Each of the three stores, empty."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    store: ObjectStore = request.getfixturevalue("s3_store")
    return store
