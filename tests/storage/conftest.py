"""The stores, so that one suite holds for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidstate.storage.folder import FolderStore
from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import ObjectStore
from tests.conftest_s3 import (
    CLIENTS,
    boto3_store,
    bucket,
    obstore_store,
    s3_boto3,
    s3_requests,
    s3_server,
    s3_store,
)

__all__ = ["any_store", "boto3_store", "bucket", "obstore_store", "s3_boto3", "s3_requests", "s3_server", "s3_store"]


@pytest.fixture(params=["memory", "folder", *CLIENTS])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Each of the stores, empty; S3 through each client."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    store: ObjectStore = request.getfixturevalue(f"{request.param}_store")
    return store
