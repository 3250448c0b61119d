"""The object store on S3 through boto3: one request per verb, and AWS's errors told as ours.

boto3 is imported when a client is made; importing this module costs nothing. ``storage/s3_obstore.py`` is the same
store through another client.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from solidstate.errors import MissingObject
from solidstate.storage import s3_settings
from solidstate.storage.s3_answers import BeyondEnd
from solidstate.storage.s3_errors import translated
from solidstate.storage.s3_repeat import until_decided
from solidstate.storage.s3_upload import PartWriter
from solidstate.storage.store import ObjectInfo, ObjectWriter, check_key, check_prefix

S3Client = Any
"""boto3 makes its clients at run time from a service description: there is no class to name."""

CONNECTIONS = 64


def s3_client(endpoint_url: str | None = None, region: str | None = None) -> S3Client:
    """A client for :class:`S3Store`. Credentials, region and endpoint come from the usual AWS environment unless given.

    At most 5 tries a request with growing pauses (botocore's "standard" mode), 5 s to connect, 60 s of silence on an
    open connection. The pool holds 64 connections, so that fan-in may read in parallel.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 5},
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        # Stand-ins for S3 rarely resolve `bucket.host`; AWS itself wants it.
        s3={"addressing_style": "path" if endpoint_url or s3_settings.endpoint() else "auto"},
    )
    return boto3.client("s3", endpoint_url=endpoint_url, region_name=region or s3_settings.region(), config=config)


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

        def write() -> None:
            with translated("write", self._bucket, full):
                self._client.put_object(Bucket=self._bucket, Key=full, Body=body, IfNoneMatch="*")

        return until_decided(write, self._bucket, full, lost=_never)  # botocore repeats a request without an answer

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
        full = self._full(key)
        upload = PartWriter(full, _Upload(self._client, self._bucket, full))
        try:
            yield upload
            upload.complete()
        except BaseException:
            upload.abort()
            raise

    def _full(self, key: str) -> str:
        check_key(key)
        return check_key(self._prefix + key) if self._prefix else key


class _Upload:
    """A multipart upload, part after part."""

    def __init__(self, client: S3Client, bucket: str, key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []

    def whole(self, body: bytes) -> None:
        with translated("write", self._bucket, self._key):
            self._client.put_object(Bucket=self._bucket, Key=self._key, Body=body)

    def part(self, body: bytes) -> None:
        place = {"Bucket": self._bucket, "Key": self._key, "ChecksumAlgorithm": "CRC32"}
        with translated("write", self._bucket, self._key):
            if self._id is None:
                self._id = self._client.create_multipart_upload(**place)["UploadId"]
            number = len(self._parts) + 1
            part = self._client.upload_part(**place, UploadId=self._id, PartNumber=number, Body=body)
        done: dict[str, Any] = {"PartNumber": number, "ETag": part["ETag"]}
        if "ChecksumCRC32" in part:  # S3 wants it again at the end; stand-ins do not always give it
            done["ChecksumCRC32"] = part["ChecksumCRC32"]
        self._parts.append(done)

    def finish(self) -> None:
        parts = {"Parts": self._parts}
        with translated("write", self._bucket, self._key):
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._id, MultipartUpload=parts
            )

    def abandon(self) -> None:
        if self._id is not None:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._id)


def _never(_error: Exception) -> bool:
    return False
