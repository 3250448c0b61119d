"""The object store on S3 through obstore, a client in Rust: ready at a tenth of what boto3 costs at a cold start.

The same requests, answers and errors as ``storage/s3.py``; one suite holds for both. obstore is imported when a store
is made; importing this module costs nothing. It takes credentials from the environment alone and knows no profiles:
``storage/s3_choice.py`` says when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from solidstate.errors import MissingObject, StorageError
from solidstate.storage import s3_settings
from solidstate.storage.s3_answers import Again, BeyondEnd, Refused
from solidstate.storage.s3_obstore_errors import translated, tries_of
from solidstate.storage.s3_repeat import FIRST_WAIT_S, SILENCE_S, TRIES, Patience
from solidstate.storage.s3_upload import PART_BYTES, PartWriter
from solidstate.storage.store import ObjectInfo, ObjectWriter, Repeat, check_key, check_prefix

Bucket = Any
"""An ``obstore.store.S3Store``. Its module is not imported where it is not used, and may not be installed."""

PAGE = 1000
MOST_S = 180.0
"""For how long the requests of a multipart upload are repeated where no time is set."""


def obstore_bucket(
    bucket: str,
    endpoint_url: str | None = None,
    region: str | None = None,
    *,
    silence: str = f"{SILENCE_S}s",
) -> Bucket:
    """A bucket for :class:`ObstoreS3Store`. Credentials, region and endpoint come from the usual AWS environment unless
    given.

    It repeats nothing by itself, which is the store's business. 5 s to connect, 20 s of silence on an open connection.
    """
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
        retry_config={"max_retries": 0},
    )


class ObstoreS3Store:
    """Objects of one bucket whose keys start with ``prefix``, which callers neither give nor see."""

    def __init__(self, store: Bucket, bucket: str, prefix: str = "", patience: Patience | None = None) -> None:
        self._store = store
        self._bucket = bucket
        self._prefix = prefix
        self._patience = patience or Patience()

    def __repr__(self) -> str:
        return f"ObstoreS3Store('s3://{self._bucket}/{self._prefix}')"

    def location(self, key: str) -> tuple[str, str]:
        """(bucket, whole key), for AWS services that read objects by themselves."""
        return self._bucket, self._full(key)

    def attended(self, left_s: Callable[[], float], told: Callable[[Repeat], bytes | None]) -> ObstoreS3Store:
        """The same store for somebody who has ``left_s()`` seconds left and wants to be ``told`` of repetitions:
        see :class:`AttendedStore`."""
        return ObstoreS3Store(self._store, self._bucket, self._prefix, Patience(left_s, told))

    def get(self, key: str) -> bytes:
        full = self._full(key)

        def read() -> bytes:
            with translated("read", self._bucket, full):
                body: bytes = self._store.get(full).bytes().to_bytes()
                return body

        return self._patience.answer(read, "read", full)

    def get_part(self, key: str, begin: int, size: int) -> bytes:
        full = self._full(key)

        def read() -> bytes:
            with translated("read", self._bucket, full):
                return bytes(self._store.get_range(full, start=begin, length=size))

        try:
            return self._patience.answer(read, "read", full)
        except BeyondEnd:
            return b""

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        full = self._full(key)
        mode = "create" if if_absent else "overwrite"

        def write(body: bytes = body) -> None:
            with translated("write", self._bucket, full):
                self._store.put(full, body, mode=mode, use_multipart=False)

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
                self._store.head(full)

        try:
            self._patience.answer(look, "look up", full)
        except MissingObject:
            return False
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        return self._objects(self._prefix + prefix)

    def _objects(self, prefix: str) -> Iterator[ObjectInfo]:
        """Listed are whole folders: what comes before the prefix is left out by S3 as far as possible, and the first
        key after it ends the listing."""
        start = len(self._prefix)
        for page in self._pages(prefix):
            for entry in page:
                path: str = entry["path"]
                if path.startswith(prefix):
                    yield ObjectInfo(path[start:], entry["size"])
                elif path > prefix:
                    return

    def _pages(self, prefix: str) -> Iterator[Any]:
        """After a page that did not come the listing is begun again behind the last key."""
        folder, _, name = prefix.rpartition("/")
        before = prefix[:-1] if len(name) > 1 else None
        pages: Any = None

        def ask() -> Any:
            nonlocal pages
            with translated("list", self._bucket, prefix):
                if pages is None:
                    pages = iter(self._store.list(folder or None, offset=before, chunk_size=PAGE))
                listing, pages = pages, None
                page = next(listing, None)
                pages = listing
                return page

        while page := self._patience.answer(ask, "list", prefix):
            yield page
            before = page[-1]["path"]

    def delete(self, key: str) -> None:
        full = self._full(key)

        def remove() -> None:
            with translated("delete", self._bucket, full):
                self._store.delete(full)

        self._patience.answer(remove, "delete", full)

    @contextmanager
    def writer(self, key: str) -> Generator[ObjectWriter, None, None]:
        """Parts of 16 MiB; an object of one part is one plain PUT. At most about two parts are in memory."""
        full = self._full(key)
        upload = PartWriter(full, _Upload(self._store, self._bucket, full, self._patience))
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
    """A multipart upload whose parts are sent while the next one is collected. They are out of our hands then, so that
    they alone are repeated by obstore itself, as often and as long as everything else, and nobody is told of it."""

    def __init__(self, store: Bucket, bucket: str, key: str, patience: Patience) -> None:
        self._store = store
        self._bucket = bucket
        self._key = key
        self._patience = patience
        self._file: Any = None  # an `obstore.WritableFile`
        self._size = 0

    def whole(self, body: bytes) -> None:
        def write() -> None:
            with self._translated():
                self._store.put(self._key, body, use_multipart=False)

        self._patience.answer(write, "write", self._key)

    def part(self, body: bytes) -> None:
        import obstore

        def send() -> None:
            with self._translated():
                if self._file is None:
                    store = _repeating(self._store, self._patience.seconds(MOST_S))
                    self._file = obstore.open_writer(store, self._key, buffer_size=PART_BYTES, max_concurrency=1)
                self._file.write(body)

        self._over(send)
        self._size += len(body)

    def finish(self) -> None:
        def join() -> None:
            with self._translated():
                self._file.write(b"")  # waits for the part on its way: its failure can still be followed by an abort
                self._file.close()

        try:
            self._over(join)
        except StorageError:  # the answer that got lost may have been that it is done
            if not self._is_there():
                raise

    def abandon(self) -> None:
        if self._file is not None:
            try:
                self._file.write(b"")  # S3 may keep a part that arrives after the abort
            finally:
                self._file.__exit__(RuntimeError, None, None)

    def _over(self, send: Callable[[], None]) -> None:
        """What has failed after obstore's own tries is not begun again: it may have been an earlier part."""
        try:
            send()
        except Again as again:
            again.error.problem += f" {tries_of(again)} failed."
            raise again.error from again.__cause__

    def _is_there(self) -> bool:
        """Whether an object of the size of all parts is under the key; nobody else writes under it."""
        try:
            with self._translated():
                found: bool = self._store.head(self._key)["size"] == self._size
                return found
        except (StorageError, Again):
            return False

    def _translated(self) -> AbstractContextManager[None]:
        return translated("write", self._bucket, self._key)


def _repeating(store: Bucket, seconds: float) -> Bucket:
    """The same bucket through a client that repeats requests itself."""
    from datetime import timedelta

    backoff = {
        "init_backoff": timedelta(seconds=FIRST_WAIT_S),
        "max_backoff": timedelta(seconds=FIRST_WAIT_S * 2 ** (TRIES - 2)),
        "base": 2,
    }
    retries = {"max_retries": TRIES - 1, "backoff": backoff, "retry_timeout": timedelta(seconds=seconds)}
    # It does not know again the name under which it tells this one.
    config = {f"aws_{name}" if name == "endpoint_url_s3" else name: value for name, value in store.config.items()}
    made: Bucket = type(store)(config=config, client_options=store.client_options, retry_config=retries)
    return made
