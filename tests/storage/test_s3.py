"""What S3 in particular answers, counted at the HTTP level: the same through either client."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate.errors import MissingObject, StorageError, StorageUnavailable
from solidstate.storage import s3_repeat
from solidstate.storage.s3 import S3Store, s3_client
from solidstate.storage.s3_obstore import ObstoreS3Store, obstore_bucket
from solidstate.storage.store import ObjectInfo, ObjectStore
from tests.conftest_s3 import AnyS3Store, CountedServer, Requests

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_repeat, "FIRST_WAIT_S", 0.0)


@pytest.mark.parametrize("size", [0, 100, 3 * MIB])
def test_each_verb_is_one_request(s3_requests: tuple[AnyS3Store, Requests], size: int) -> None:
    """Checksums and `Expect: 100-continue` add no round trip, whatever the size of the body."""
    store, requests = s3_requests
    store.put("k", bytes(size))
    assert store.get("k") == bytes(size)
    assert store.exists("k")
    assert store.put("k", bytes(size), if_absent=True) is False
    store.delete("k")
    assert requests == [("PUT", "k"), ("GET", "k"), ("HEAD", "k"), ("PUT", "k"), ("DELETE", "k")]


def test_a_writer_of_one_part_is_one_put(s3_requests: tuple[AnyS3Store, Requests]) -> None:
    """16 MiB still fit one part; a byte more makes a multipart upload of two."""
    store, requests = s3_requests
    with store.writer("one") as sink:
        sink.write(bytes(16 * MIB))
    assert requests == [("PUT", "one")]
    requests.clear()
    with store.writer("two") as sink:
        sink.write(bytes(16 * MIB + 1))
    assert [method for method, _ in requests] == ["POST", "PUT", "PUT", "POST"]


def test_a_failed_multipart_upload_is_aborted(s3_requests: tuple[AnyS3Store, Requests]) -> None:
    """No part is left to be paid for."""
    store, requests = s3_requests
    with pytest.raises(ZeroDivisionError), store.writer("k") as sink:  # noqa: PT012  # the block is the subject
        sink.write(bytes(40 * MIB))
        raise ZeroDivisionError
    assert [method for method, _ in requests] == ["POST", "PUT", "PUT", "DELETE"]
    assert not store.exists("k")


def test_a_listing_is_paged_lazily(s3_requests: tuple[AnyS3Store, Requests]) -> None:
    """No request before the first object is asked for, and one for up to 1,000."""
    store, requests = s3_requests
    store.put("a", b"")
    requests.clear()
    listing = store.list("")
    assert requests == []
    assert next(listing).key == "a"
    assert len(requests) == 1


def test_a_listing_ends_with_the_page_that_passes_its_prefix(s3_requests: tuple[AnyS3Store, Requests]) -> None:
    """Of a folder of thousands only the page that holds the wanted objects is asked for."""
    store, requests = s3_requests
    for number in range(1100):
        store.put(f"a/{number:04}", b"")
    requests.clear()
    assert list(store.list("a/001")) == [ObjectInfo(f"a/001{digit}", 0) for digit in range(10)]
    assert len(requests) == 1
    requests.clear()
    assert len(list(store.list("a/"))) == 1100
    assert len(requests) == 2


ODD = ["a b", "a%20b", "a+b", "é/ü", "a#b?c&d=e", "~x", "a'b\"c", "(a)*!$@,;:=", "a\u2028b", "😀", "{a}[b]^|`<c>"]


@pytest.mark.parametrize("key", ODD)
def test_one_client_reads_what_the_other_wrote(boto3_store: S3Store, obstore_store: ObstoreS3Store, key: str) -> None:
    """A key is the same key, whatever its characters."""
    stores: list[ObjectStore] = [boto3_store, obstore_store]
    for writer, reader in (stores, stores[::-1]):
        writer.put(key, key.encode())
        assert reader.get(key) == key.encode()
        assert [info.key for info in reader.list("")] == [key]
        reader.delete(key)
        assert not writer.exists(key)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_lost_answer_is_asked_for_again(
    s3_requests: tuple[AnyS3Store, Requests], s3_server: CountedServer, reset: bool
) -> None:
    """S3 wrote the object and nobody heard of it: the second request is answered, or finds what the first has done."""
    s3_server.lose_by_reset = reset
    store, requests = s3_requests
    for use, answer in (
        (lambda: store.put("k", b"x", if_absent=True), False),
        (lambda: store.put("k", b"y"), True),
        (lambda: store.get("k"), b"y"),
        (lambda: store.exists("k"), True),
        (lambda: store.delete("k"), None),
    ):
        requests.clear()
        s3_server.lose_next = 1
        assert use() == answer
        assert len(requests) == 2
    assert not store.exists("k")


def test_a_prefix_is_neither_given_nor_seen(s3_store: AnyS3Store) -> None:
    """Two prefixes of one bucket do not see each other."""
    mine, other = _at(s3_store, "mine/"), _at(s3_store, "other/")
    mine.put("a/b", b"x")
    assert [info.key for info in mine.list("a/")] == ["a/b"]
    assert list(other.list("")) == []
    assert mine.location("a/b") == (s3_store._bucket, "mine/a/b")
    assert repr(mine) == f"{type(s3_store).__name__}('s3://{s3_store._bucket}/mine/')"
    assert s3_store.get("mine/a/b") == b"x"


def test_a_conflict_is_repeated(s3_requests: tuple[AnyS3Store, Requests], s3_server: CountedServer) -> None:
    """409 says that two conditional writes met: asked again, S3 decides."""
    store, requests = s3_requests
    s3_server.fail_next += [(409, "ConditionalRequestConflict")] * 2
    assert store.put("k", b"x", if_absent=True) is True
    assert requests == [("PUT", "k")] * 3


def test_endless_conflicts_give_up(s3_requests: tuple[AnyS3Store, Requests], s3_server: CountedServer) -> None:
    """After six answers of 409 the store is unavailable, in these words."""
    store, requests = s3_requests
    s3_server.fail_next += [(409, "ConditionalRequestConflict")] * 6
    with pytest.raises(StorageUnavailable) as caught:
        store.put("k", b"x", if_absent=True)
    assert len(requests) == 6
    bucket = store._bucket
    assert str(caught.value) == (
        f"Could not write the object `k` in the bucket `{bucket}`: another writer is at it. 6 tries failed: 409 "
        f"ConditionalRequestConflict (6).\n  at: s3://{bucket}/k\n  fix: try again"
    )


@pytest.mark.parametrize("verb", ["read", "write", "look up", "delete", "list"])
def test_access_denied_explains_the_missing_list_permission(
    s3_requests: tuple[AnyS3Store, Requests], s3_server: CountedServer, verb: str
) -> None:
    """403 may mean "not there": the hint says so."""
    store, _ = s3_requests
    s3_server.fail_next.append((403, "AccessDenied"))
    with pytest.raises(StorageError) as caught:
        _use(store, verb)
    assert not isinstance(caught.value, (MissingObject, StorageUnavailable))
    bucket = store._bucket
    assert str(caught.value) == (
        f"Could not {verb} the object `k` in the bucket `{bucket}`: access denied (403).\n  at: s3://{bucket}/k\n"
        "  fix: grant the role access to the object; for reads also `s3:ListBucket` on the bucket, because without it "
        "S3 answers 403 instead of 404 for an object that is not there"
    )


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId"])
def test_credentials_that_are_no_longer_good(
    s3_requests: tuple[AnyS3Store, Requests], s3_server: CountedServer, code: str
) -> None:
    """AWS's word for it, and the way to new ones; nothing is repeated."""
    store, requests = s3_requests
    s3_server.fail_next.append((400 if code == "ExpiredToken" else 403, code))
    with pytest.raises(StorageError) as caught:
        store.get("k")
    assert len(requests) == 1
    bucket = store._bucket
    assert str(caught.value) == (
        f"Could not read the object `k` in the bucket `{bucket}`: AWS does not accept the credentials ({code}).\n"
        f"  at: s3://{bucket}/k\n  fix: renew them, for example with `aws sso login`, and check AWS_PROFILE"
    )


def test_a_missing_bucket_is_named(s3_store: AnyS3Store, s3_server: CountedServer) -> None:
    """Not taken for a missing object."""
    store = _at(s3_store, bucket="no-such-bucket", url=s3_server.url)
    for verb in ("read", "write", "create", "stream", "list"):
        with pytest.raises(StorageError) as caught:
            _use(store, verb)
        assert not isinstance(caught.value, MissingObject)
        assert str(caught.value) == (
            "The bucket `no-such-bucket` does not exist.\n  at: s3://no-such-bucket\n"
            "  fix: deploy the stack first, or correct the bucket's name and the region"
        )


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (502, "BadGateway")])
def test_one_server_error_is_repeated_and_not_seen(
    s3_requests: tuple[AnyS3Store, Requests], s3_server: CountedServer, status: int, code: str
) -> None:
    """Whatever the verb."""
    store, requests = s3_requests
    store.put("k", b"x")
    for verb in ("write", "read", "look up", "list", "delete", "create"):
        requests.clear()
        s3_server.fail_next.append((status, code))
        _use(store, verb)
        assert len(requests) == 2, verb


@pytest.mark.parametrize("verb", ["read", "create"])
def test_server_errors_become_unavailable_after_six_tries(
    s3_requests: tuple[AnyS3Store, Requests], s3_server: CountedServer, verb: str
) -> None:
    """The error is ours and says what S3 answered."""
    store, requests = s3_requests
    s3_server.fail_next += [(503, "SlowDown")] * 6
    with pytest.raises(StorageUnavailable) as caught:
        _use(store, verb)
    assert len(requests) == 6
    bucket, what = store._bucket, "read" if verb == "read" else "write"
    assert str(caught.value) == (
        f"Could not {what} the object `k` in the bucket `{bucket}`: S3 answered 503 SlowDown. 6 tries failed: 503 "
        f"SlowDown (6).\n  at: s3://{bucket}/k\n  fix: try again; if it persists, spread keys or lower the concurrency"
    )


def test_no_connection_is_unavailable(s3_store: AnyS3Store) -> None:
    """A refused connection names the object and says to check the endpoint."""
    store = _at(s3_store, bucket="bucket", url="http://127.0.0.1:9")
    for verb, what in (("read", "read"), ("create", "write")):
        with pytest.raises(StorageUnavailable) as caught:
            _use(store, verb)
        assert str(caught.value) == (
            f"Could not {what} the object `k` in the bucket `bucket`: "
            'Could not connect to the endpoint URL: "http://127.0.0.1:9/bucket/k". 6 tries failed: no answer (6).\n'
            "  at: s3://bucket/k\n"
            "  fix: check the network and the endpoint, then try again"
        )


def test_the_client_honours_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Region and endpoint come from the variables that Lambda and the local engines set."""
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    client = s3_client()
    assert client.meta.region_name == "eu-north-1"
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    assert client.meta.config.max_pool_connections >= 64
    client.close()


def _at(store: AnyS3Store, prefix: str = "", bucket: str = "", url: str = "") -> AnyS3Store:
    """The same client with another prefix, bucket or server."""
    name = bucket or store._bucket
    if isinstance(store, S3Store):
        return S3Store(s3_client(url, "us-east-1") if url else store._client, name, prefix)
    return ObstoreS3Store(obstore_bucket(name, url, "us-east-1") if url else store._store, name, prefix)


def _use(store: AnyS3Store, verb: str) -> Any:
    """One request for `k` by each verb."""
    if verb == "read":
        return store.get("k")
    if verb == "look up":
        return store.exists("k")
    if verb == "list":
        return list(store.list("k"))
    if verb == "delete":
        return store.delete("k")
    if verb == "stream":
        with store.writer("k") as sink:
            return sink.write(b"x")
    return store.put("k", b"x", if_absent=verb == "create")
