"""The object store on S3 through boto3: one request per verb, and AWS's errors told as ours.

boto3 is imported when a client is made; importing this module costs nothing. ``storage/s3_obstore.py`` is the same
store through another client.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from solidstate.errors import MissingObject, StorageError
from solidstate.storage import s3_settings
from solidstate.storage.s3_answers import Again, BeyondEnd, Refused
from solidstate.storage.s3_errors import translated
from solidstate.storage.s3_repeat import SILENCE_S, Patience
from solidstate.storage.s3_upload import PartWriter
from solidstate.storage.store import ObjectInfo, ObjectWriter, Repeat, check_key, check_prefix

S3Client = Any
"""boto3 makes its clients at run time from a service description: there is no class to name."""

CONNECTIONS = 64


def s3_client(endpoint_url: str | None = None, region: str | None = None) -> S3Client:
    """A client for :class:`S3Store`. Credentials, region and endpoint come from the usual AWS environment unless given.

    It repeats nothing by itself, which is the store's business. 5 s to connect, 20 s of silence on an open connection.
    The pool holds 64 connections, so that fan-in may read in parallel.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=5,
        read_timeout=SILENCE_S,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        # Stand-ins for S3 rarely resolve `bucket.host`; AWS itself wants it.
        s3={"addressing_style": "path" if endpoint_url or s3_settings.endpoint() else "auto"},
    )
    return boto3.client("s3", endpoint_url=endpoint_url, region_name=region or s3_settings.region(), config=config)


class S3Store:
    """Objects of one bucket whose keys start with ``prefix``, which callers neither give nor see."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "", patience: Patience | None = None) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._patience = patience or Patience()

    def __repr__(self) -> str:
        return f"S3Store('s3://{self._bucket}/{self._prefix}')"

    def location(self, key: str) -> tuple[str, str]:
        """(bucket, whole key), for AWS services that read objects by themselves."""
        return self._bucket, self._full(key)

    def attended(self, left_s: Callable[[], float], told: Callable[[Repeat], bytes | None]) -> S3Store:
        """The same store for somebody who has ``left_s()`` seconds left and wants to be ``told`` of repetitions:
        see :class:`AttendedStore`."""
        return S3Store(self._client, self._bucket, self._prefix, Patience(left_s, told))

    def get(self, key: str) -> bytes:
        full = self._full(key)

        def read() -> bytes:
            with translated("read", self._bucket, full):
                body: bytes = self._client.get_object(Bucket=self._bucket, Key=full)["Body"].read()
                return body

        return self._patience.answer(read, "read", full)

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        full = self._full(key)
        part = f"bytes={begin}-{begin + size - 1}"

        def read() -> bytes:
            with translated("read", self._bucket, full):
                body: bytes = self._client.get_object(Bucket=self._bucket, Key=full, Range=part)["Body"].read()
                return body

        try:
            return self._patience.answer(read, "read", full)
        except BeyondEnd:
            return b""

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        full = self._full(key)
        condition = {"IfNoneMatch": "*"} if if_absent else {}

        def write(body: bytes = body) -> None:
            with translated("write", self._bucket, full):
                self._client.put_object(Bucket=self._bucket, Key=full, Body=body, **condition)

        try:
            self._patience.answer(write, "write", full)
        except Refused:
            return False
        return True

    def exists(self, key: str) -> bool:
        """HEAD has no body to tell a missing bucket from a missing object: both answer False."""
        full = self._full(key)

        def look() -> None:
            with translated("look up", self._bucket, full):
                self._client.head_object(Bucket=self._bucket, Key=full)

        try:
            self._patience.answer(look, "look up", full)
        except MissingObject:
            return False
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        return self._pages(self._prefix + prefix)

    def _pages(self, prefix: str) -> Iterator[ObjectInfo]:
        start = len(self._prefix)
        more: dict[str, str] = {}

        def ask() -> dict[str, Any]:
            with translated("list", self._bucket, prefix):
                page: dict[str, Any] = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **more)
                return page

        while True:
            page = self._patience.answer(ask, "list", prefix)
            for entry in page.get("Contents", []):
                yield ObjectInfo(entry["Key"][start:], entry["Size"])
            if not page.get("IsTruncated"):
                return
            more["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, key: str) -> None:
        full = self._full(key)

        def remove() -> None:
            with translated("delete", self._bucket, full):
                self._client.delete_object(Bucket=self._bucket, Key=full)

        self._patience.answer(remove, "delete", full)

    @contextmanager
    def writer(self, key: str) -> Generator[ObjectWriter, None, None]:
        """Parts of 16 MiB; an object of one part is one plain PUT. At most about two parts are in memory."""
        full = self._full(key)
        upload = PartWriter(full, _Upload(self._client, self._bucket, full, self._patience))
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

    def __init__(self, client: S3Client, bucket: str, key: str, patience: Patience) -> None:
        self._client = client
        self._place = {"Bucket": bucket, "Key": key}
        self._patience = patience
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._size = 0

    def whole(self, body: bytes) -> None:
        self._ask(self._client.put_object, Body=body)

    def part(self, body: bytes) -> None:
        if self._id is None:
            self._id = self._ask(self._client.create_multipart_upload, ChecksumAlgorithm="CRC32")["UploadId"]
        number = len(self._parts) + 1
        upload = {"UploadId": self._id, "PartNumber": number, "ChecksumAlgorithm": "CRC32"}
        part = self._ask(self._client.upload_part, **upload, Body=body)
        done: dict[str, Any] = {"PartNumber": number, "ETag": part["ETag"]}
        if "ChecksumCRC32" in part:  # S3 wants it again at the end; stand-ins do not always give it
            done["ChecksumCRC32"] = part["ChecksumCRC32"]
        self._parts.append(done)
        self._size += len(body)

    def finish(self) -> None:
        asked = 0

        def join(**parts: Any) -> None:
            nonlocal asked
            asked += 1
            try:
                with self._translated():
                    self._client.complete_multipart_upload(**parts)
            except StorageError:  # the answer that got lost may have been that it is done
                if asked == 1 or not self._is_there():
                    raise

        self._ask(join, UploadId=self._id, MultipartUpload={"Parts": self._parts})

    def abandon(self) -> None:
        if self._id is not None:
            self._ask(self._client.abort_multipart_upload, UploadId=self._id)

    def _is_there(self) -> bool:
        """Whether an object of the size of all parts is under the key; nobody else writes under it."""
        try:
            with self._translated():
                found: bool = self._client.head_object(**self._place)["ContentLength"] == self._size
                return found
        except (StorageError, Again):
            return False

    def _ask(self, request: Callable[..., Any], **facts: Any) -> Any:
        def ask() -> Any:
            with self._translated():
                return request(**self._place, **facts)

        return self._patience.answer(ask, "write", self._place["Key"])

    def _translated(self) -> AbstractContextManager[None]:
        return translated("write", self._place["Bucket"], self._place["Key"])
