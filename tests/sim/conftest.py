"""S3 for the small cases that are tried in every way: through boto3 in this process, and through obstore."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from solidstate.infra.local_shortcut import shortcut
from solidstate.storage.s3 import S3Store
from tests.conftest_s3 import CountedServer, boto3_store, bucket, obstore_store, s3_boto3, s3_server

__all__ = ["boto3_store", "bucket", "obstore_store", "s3_boto3", "s3_server", "shortcut_store"]


@pytest.fixture
def shortcut_store(s3_server: CountedServer, boto3_store: S3Store) -> Iterator[S3Store]:
    """S3 through boto3, answered by moto in this process."""
    with shortcut(s3_server.url):
        yield boto3_store
