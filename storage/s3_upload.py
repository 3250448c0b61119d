"""Streaming one large object to S3: a plain PUT when it turns out small, a multipart upload otherwise."""

from __future__ import annotations

import contextlib
from typing import Any

from solidstate.errors import StorageError
from solidstate.storage.s3_errors import translated

PART_BYTES = 16 * 1024 * 1024
"""S3 allows 10,000 parts (S3 user guide, "Amazon S3 multipart upload limits"): objects up to 156 GiB."""


class PartWriter:
    """Collects bytes and uploads a part whenever one is full. botocore repeats a part that failed."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._held = bytearray()
        self._written = 0
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        if self._closed:
            raise StorageError(f"The object `{self._key}` was written to after it was finished.", subject=self._key)
        view = memoryview(data).cast("B")
        size = view.nbytes
        self._written += size
        while view.nbytes:
            if len(self._held) == PART_BYTES:  # sent only when more follows, so that one part can be a plain PUT
                self._send()
            taken = PART_BYTES - len(self._held)
            self._held += view[:taken]
            view = view[taken:]
        return size

    def flush(self) -> None:
        """Nothing to do: S3 takes whole parts."""

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._written

    def complete(self) -> None:
        """Make the object visible."""
        if self._upload_id is not None:
            self._send()
        self._closed = True
        with translated("write", self._bucket, self._key):
            if self._upload_id is None:
                self._client.put_object(Bucket=self._bucket, Key=self._key, Body=bytes(self._held))
            else:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._key,
                    UploadId=self._upload_id,
                    MultipartUpload={"Parts": self._parts},
                )
        self._upload_id = None
        self._held = bytearray()

    def abort(self) -> None:
        """Leave nothing. If even that fails, the bucket's lifecycle rule removes the parts."""
        self._closed = True
        self._held = bytearray()
        if self._upload_id is not None:
            with contextlib.suppress(Exception):  # the error that led here is the one to report
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._upload_id)
            self._upload_id = None

    def _send(self) -> None:
        with translated("write", self._bucket, self._key):
            if self._upload_id is None:
                answer = self._client.create_multipart_upload(
                    Bucket=self._bucket, Key=self._key, ChecksumAlgorithm="CRC32"
                )
                self._upload_id = answer["UploadId"]
            number = len(self._parts) + 1
            body, self._held = bytes(self._held), bytearray()
            part = self._client.upload_part(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload_id,
                PartNumber=number,
                Body=body,
                ChecksumAlgorithm="CRC32",
            )
        done: dict[str, Any] = {"PartNumber": number, "ETag": part["ETag"]}
        if "ChecksumCRC32" in part:  # S3 wants it again at the end; stand-ins do not always give it
            done["ChecksumCRC32"] = part["ChecksumCRC32"]
        self._parts.append(done)
