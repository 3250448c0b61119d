"""The object store on S3: one request per verb, and AWS's errors told as ours.

The conditional PUT decides which attempt of a step counts, so its three answers are kept apart: written, something was
there (412), two writers met (409, which S3 asks to repeat). boto3 is imported when a client is made; importing this
module costs nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from solidstate.errors import MissingObject, StorageUnavailable
from solidstate.storage.s3_errors import BeyondEnd, Refused, translated
from solidstate.storage.s3_upload import PartWriter
from solidstate.storage.store import ObjectInfo, ObjectWriter, check_key, check_prefix

S3Client = Any
"""boto3 makes its clients at run time from a service description: there is no class to name."""

CONNECTIONS = 64
CONFLICT_ATTEMPTS = 6
CONFLICT_DELAY_S = 0.05


def s3_client(endpoint_url: str | None = None, region: str | None = None) -> S3Client:
    """A client for :class:`S3Store`. Credentials, region and endpoint come from the usual AWS environment unless given.

    At most 5 tries a request with growing pauses (botocore's "standard" mode), 5 s to connect, 60 s of silence on an
    open connection. The pool holds 64 connections, so that fan-in may read in parallel.
    """
    import boto3
    from botocore.config import Config

    endpoint = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 5},
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        # Stand-ins for S3 rarely resolve `bucket.host`; AWS itself wants it.
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    # boto3 itself reads AWS_DEFAULT_REGION only; Lambda and every other SDK set or read AWS_REGION.
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return boto3.client("s3", endpoint_url=endpoint_url, region_name=region, config=config)


class S3Store:
    """Objects of one bucket whose keys start with ``prefix``, which callers neither give nor see."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def __repr__(self) -> str:
        return f"S3Store('s3://{self._bucket}/{self._prefix}')"

    def location(self, key: str) -> tuple[str, str]:
        """(bucket, whole key), for AWS services that read objects by themselves."""
        return self._bucket, self._full(key)

    def get(self, key: str) -> bytes:
        full = self._full(key)
        with translated("read", self._bucket, full):
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=full)["Body"].read()
            return body

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        full = self._full(key)
        part = f"bytes={begin}-{begin + size - 1}"
        try:
            with translated("read", self._bucket, full):
                body: bytes = self._client.get_object(Bucket=self._bucket, Key=full, Range=part)["Body"].read()
                return body
        except BeyondEnd:
            return b""

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        full = self._full(key)
        if not if_absent:
            with translated("write", self._bucket, full):
                self._client.put_object(Bucket=self._bucket, Key=full, Body=body)
            return True
        for attempt in range(CONFLICT_ATTEMPTS):
            try:
                with translated("write", self._bucket, full):
                    self._client.put_object(Bucket=self._bucket, Key=full, Body=body, IfNoneMatch="*")
                return True
            except Refused as refused:
                if not refused.conflict:
                    return False
                time.sleep(CONFLICT_DELAY_S * 2**attempt)
        raise StorageUnavailable(
            f"Could not write the object `{full}` in the bucket `{self._bucket}`: "
            f"S3 answered {CONFLICT_ATTEMPTS} times that another writer is at it (409 ConditionalRequestConflict).",
            subject=full,
            path=f"s3://{self._bucket}/{full}",
            hint="try again",
        )

    def put_joined(self, key: str, parts: Sequence[bytes | memoryview]) -> None:
        self.put(key, b"".join(parts))

    def exists(self, key: str) -> bool:
        """HEAD has no body to tell a missing bucket from a missing object: both answer False."""
        full = self._full(key)
        try:
            with translated("look up", self._bucket, full):
                self._client.head_object(Bucket=self._bucket, Key=full)
        except MissingObject:
            return False
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        return self._pages(self._prefix + prefix)

    def _pages(self, prefix: str) -> Iterator[ObjectInfo]:
        start = len(self._prefix)
        with translated("list", self._bucket, prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield ObjectInfo(entry["Key"][start:], entry["Size"])

    def delete(self, key: str) -> None:
        full = self._full(key)
        with translated("delete", self._bucket, full):
            self._client.delete_object(Bucket=self._bucket, Key=full)

    @contextmanager
    def writer(self, key: str) -> Generator[ObjectWriter, None, None]:
        """Parts of 16 MiB; an object of one part is one plain PUT. At most about two parts are in memory."""
        upload = PartWriter(self._client, self._bucket, self._full(key))
        try:
            yield upload
            upload.complete()
        except BaseException:
            upload.abort()
            raise

    def _full(self, key: str) -> str:
        check_key(key)
        return check_key(self._prefix + key) if self._prefix else key
