"""Streaming one large object to S3: a plain PUT when it turns out small, a multipart upload otherwise.

What collects the bytes is the same for every client; how a part is sent is told by a :class:`MultipartUpload`.
"""

from __future__ import annotations

import contextlib
from typing import Protocol

from solidstate.errors import StorageError

PART_BYTES = 16 * 1024 * 1024
"""S3 allows 10,000 parts (S3 user guide, "Amazon S3 multipart upload limits"): objects up to 156 GiB."""


class MultipartUpload(Protocol):
    """One object's way to S3. Either ``whole`` is called, once, or ``part`` at least twice and then ``finish``."""

    def whole(self, body: bytes) -> None:
        """Send the object in one request."""
        ...

    def part(self, body: bytes) -> None:
        """Send, or begin to send, one part; all but the last have ``PART_BYTES``."""
        ...

    def finish(self) -> None:
        """Make the parts one visible object."""
        ...

    def abandon(self) -> None:
        """Remove the parts; called also when none was sent."""
        ...


class PartWriter:
    """Collects bytes and passes on a part whenever one is full. Clients repeat a part that failed."""

    def __init__(self, key: str, upload: MultipartUpload) -> None:
        self._key = key
        self._upload = upload
        self._held = bytearray()
        self._written = 0
        self._parts = 0
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
        if self._parts:
            self._send()
            self._closed = True
            self._upload.finish()
        else:
            self._closed = True
            self._upload.whole(bytes(self._held))
        self._held = bytearray()

    def abort(self) -> None:
        """Leave nothing. If even that fails, the bucket's lifecycle rule removes the parts."""
        self._closed = True
        self._held = bytearray()
        with contextlib.suppress(Exception):  # the error that led here is the one to report
            self._upload.abandon()

    def _send(self) -> None:
        body, self._held = bytes(self._held), bytearray()
        self._parts += 1
        self._upload.part(body)
