"""The object store on S3 through obstore, a client in Rust: ready at a tenth of what boto3 costs at a cold start.

The same requests, answers and errors as ``storage/s3.py``; one suite holds for both. obstore is imported when a store
is made; importing this module costs nothing. It takes credentials from the environment alone and knows no profiles:
``storage/s3_choice.py`` says when it is used.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from solidstate.errors import MissingObject
from solidstate.storage import s3_settings
from solidstate.storage.s3_answers import BeyondEnd
from solidstate.storage.s3_obstore_errors import sent_once, translated
from solidstate.storage.s3_repeat import until_decided
from solidstate.storage.s3_upload import PART_BYTES, PartWriter
from solidstate.storage.store import ObjectInfo, ObjectWriter, check_key, check_prefix

Bucket = Any
"""An ``obstore.store.S3Store``. Its module is not imported where it is not used, and may not be installed."""

PAGE = 1000


def obstore_bucket(
    bucket: str,
    endpoint_url: str | None = None,
    region: str | None = None,
    *,
    tries: int = 5,
    silence: str = "60s",
) -> Bucket:
    """A bucket for :class:`ObstoreS3Store`. Credentials, region and endpoint come from the usual AWS environment unless
    given.

    At most 5 tries a request with growing pauses, 5 s to connect, 60 s of silence on an open connection.
    """
    from datetime import timedelta

    from obstore.store import S3Store

    region = region or s3_settings.region() or "us-east-1"
    endpoint = endpoint_url or s3_settings.endpoint()
    # Stand-ins for S3 rarely resolve `bucket.host`, and no certificate is for a name with more dots.
    virtual = not endpoint and "." not in bucket
    host = f"{bucket}.s3" if virtual else "s3"
    return S3Store(
        bucket,
        # Given always: obstore would look for variables that boto3 does not know, and takes empty ones for meant.
        aws_endpoint_url_s3=endpoint or f"https://{host}.{region}.amazonaws.com",
        region=region,
        virtual_hosted_style_request=virtual,
        conditional_put="etag",
        # The signature needs this very hash of the body, so that S3 may check and keep it at no cost.
        checksum_algorithm="SHA256",
        disable_bulk_delete=True,
        client_options={
            "allow_http": endpoint is not None and endpoint.startswith("http://"),
            "connect_timeout": "5s",
            "read_timeout": silence,
            "timeout": "15m",  # of a whole request with its body: as long as a function may run
            "pool_idle_timeout": "15s",  # S3 closes what is idle for longer, and a frozen function would not notice
        },
        retry_config={
            "max_retries": tries - 1,
            "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=15), "base": 2},
            "retry_timeout": timedelta(minutes=3),
        },
    )


class ObstoreS3Store:
    """Objects of one bucket whose keys start with ``prefix``, which callers neither give nor see."""

    def __init__(self, store: Bucket, bucket: str, prefix: str = "") -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix

    def __repr__(self) -> str:
        return f"ObstoreS3Store('s3://{self._bucket}/{self._prefix}')"

    def location(self, key: str) -> tuple[str, str]:
        """(bucket, whole key), for AWS services that read objects by themselves."""
        return self._bucket, self._full(key)

    def get(self, key: str) -> bytes:
        full = self._full(key)
        with translated("read", self._bucket, full):
            body: bytes = self._store.get(full).bytes().to_bytes()
            return body

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        full = self._full(key)
        try:
            with translated("read", self._bucket, full):
                return bytes(self._store.get_range(full, start=begin, length=size))
        except BeyondEnd:
            return b""

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        full = self._full(key)

        def write() -> None:
            with translated("write", self._bucket, full):
                self._store.put(full, body, mode="create" if if_absent else "overwrite", use_multipart=False)

        if if_absent:
            return until_decided(write, self._bucket, full, lost=sent_once)
        write()
        return True

    def exists(self, key: str) -> bool:
        """HEAD has no body to tell a missing bucket from a missing object: both answer False."""
        full = self._full(key)
        try:
            with translated("look up", self._bucket, full):
                self._store.head(full)
        except MissingObject:
            return False
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        return self._pages(self._prefix + prefix)

    def _pages(self, prefix: str) -> Iterator[ObjectInfo]:
        """Listed are whole folders: what comes before the prefix is left out by S3 as far as possible, and the first
        key after it ends the listing."""
        start = len(self._prefix)
        folder, _, name = prefix.rpartition("/")
        before = prefix[:-1] if len(name) > 1 else None
        with translated("list", self._bucket, prefix):
            for page in self._store.list(folder or None, offset=before, chunk_size=PAGE):
                for entry in page:
                    path: str = entry["path"]
                    if path.startswith(prefix):
                        yield ObjectInfo(path[start:], entry["size"])
                    elif path > prefix:
                        return

    def delete(self, key: str) -> None:
        full = self._full(key)

        def remove() -> None:
            with translated("delete", self._bucket, full):
                self._store.delete(full)

        until_decided(remove, self._bucket, full, lost=sent_once)

    @contextmanager
    def writer(self, key: str) -> Generator[ObjectWriter, None, None]:
        """Parts of 16 MiB; an object of one part is one plain PUT. At most about two parts are in memory."""
        full = self._full(key)
        upload = PartWriter(full, _Upload(self._store, self._bucket, full))
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
    """A multipart upload whose parts are sent while the next one is collected."""

    def __init__(self, store: Bucket, bucket: str, key: str) -> None:
        self._store = store
        self._bucket = bucket
        self._key = key
        self._file: Any = None  # an `obstore.WritableFile`

    def whole(self, body: bytes) -> None:
        with translated("write", self._bucket, self._key):
            self._store.put(self._key, body, use_multipart=False)

    def part(self, body: bytes) -> None:
        import obstore

        with translated("write", self._bucket, self._key):
            if self._file is None:
                self._file = obstore.open_writer(self._store, self._key, buffer_size=PART_BYTES, max_concurrency=1)
            self._file.write(body)

    def finish(self) -> None:
        with translated("write", self._bucket, self._key):
            self._file.write(b"")  # waits for the part on its way: its failure can still be followed by an abort
            self._file.close()

    def abandon(self) -> None:
        if self._file is not None:
            try:
                self._file.write(b"")  # S3 may keep a part that arrives after the abort
            finally:
                self._file.__exit__(RuntimeError, None, None)
