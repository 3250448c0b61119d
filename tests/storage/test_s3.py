"""What S3 in particular answers, counted at the HTTP level."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from solidstate.errors import MissingObject, StorageError, StorageUnavailable
from solidstate.storage import s3 as s3_module
from solidstate.storage.s3 import S3Store, s3_client
from solidstate.storage.s3_errors import Refused, translated
from tests.conftest_s3 import CountedServer, Requests

MIB = 1024 * 1024


@pytest.mark.parametrize("size", [0, 100, 3 * MIB])
def test_each_verb_is_one_request(s3_requests: tuple[S3Store, Requests], size: int) -> None:
    """Checksums and `Expect: 100-continue` add no round trip, whatever the size of the body."""
    store, requests = s3_requests
    store.put("k", bytes(size))
    assert store.get("k") == bytes(size)
    assert store.exists("k")
    assert store.put("k", bytes(size), if_absent=True) is False
    store.delete("k")
    assert requests == [("PUT", "k"), ("GET", "k"), ("HEAD", "k"), ("PUT", "k"), ("DELETE", "k")]


def test_a_writer_of_one_part_is_one_put(s3_requests: tuple[S3Store, Requests]) -> None:
    """16 MiB still fit one part; a byte more makes a multipart upload of two."""
    store, requests = s3_requests
    with store.writer("one") as sink:
        sink.write(bytes(16 * MIB))
    assert requests == [("PUT", "one")]
    requests.clear()
    with store.writer("two") as sink:
        sink.write(bytes(16 * MIB + 1))
    assert [method for method, _ in requests] == ["POST", "PUT", "PUT", "POST"]


def test_a_failed_multipart_upload_is_aborted(s3_requests: tuple[S3Store, Requests]) -> None:
    """No part is left to be paid for."""
    store, requests = s3_requests
    with pytest.raises(ZeroDivisionError), store.writer("k") as sink:  # noqa: PT012  # the block is the subject
        sink.write(bytes(40 * MIB))
        raise ZeroDivisionError
    assert [method for method, _ in requests] == ["POST", "PUT", "PUT", "DELETE"]
    assert not store.exists("k")


def test_a_listing_is_paged_lazily(s3_requests: tuple[S3Store, Requests]) -> None:
    """No request before the first object is asked for, and one for up to 1,000."""
    store, requests = s3_requests
    store.put("a", b"")
    requests.clear()
    listing = store.list("")
    assert requests == []
    assert next(listing).key == "a"
    assert len(requests) == 1


def test_a_prefix_is_neither_given_nor_seen(s3_store: S3Store) -> None:
    """Two prefixes of one bucket do not see each other."""
    client, bucket = s3_store._client, s3_store._bucket
    mine, other = S3Store(client, bucket, "mine/"), S3Store(client, bucket, "other/")
    mine.put("a/b", b"x")
    assert [info.key for info in mine.list("a/")] == ["a/b"]
    assert list(other.list("")) == []
    assert s3_store.get("mine/a/b") == b"x"


def test_a_conflict_is_repeated(s3_requests: tuple[S3Store, Requests], s3_server: CountedServer) -> None:
    """409 says that two conditional writes met: asked again, S3 decides."""
    store, requests = s3_requests
    s3_server.fail_next += [(409, "ConditionalRequestConflict")] * 2
    assert store.put("k", b"x", if_absent=True) is True
    assert requests == [("PUT", "k")] * 3


def test_endless_conflicts_give_up(
    s3_requests: tuple[S3Store, Requests], s3_server: CountedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After six answers of 409 the store is unavailable, in these words."""
    monkeypatch.setattr(s3_module, "CONFLICT_DELAY_S", 0.0)
    store, requests = s3_requests
    s3_server.fail_next += [(409, "ConditionalRequestConflict")] * 6
    with pytest.raises(StorageUnavailable) as caught:
        store.put("k", b"x", if_absent=True)
    assert len(requests) == 6
    bucket = store._bucket
    assert str(caught.value) == (
        f"Could not write the object `k` in the bucket `{bucket}`: S3 answered 6 times that another writer is at it "
        f"(409 ConditionalRequestConflict).\n  at: s3://{bucket}/k\n  fix: try again"
    )


def test_access_denied_explains_the_missing_list_permission(
    s3_requests: tuple[S3Store, Requests], s3_server: CountedServer
) -> None:
    """403 may mean "not there": the hint says so."""
    store, _ = s3_requests
    s3_server.fail_next.append((403, "AccessDenied"))
    with pytest.raises(StorageError) as caught:
        store.get("k")
    assert not isinstance(caught.value, MissingObject)
    bucket = store._bucket
    assert str(caught.value) == (
        f"Could not read the object `k` in the bucket `{bucket}`: access denied (403).\n  at: s3://{bucket}/k\n"
        "  fix: grant the role access to the object; for reads also `s3:ListBucket` on the bucket, because without it "
        "S3 answers 403 instead of 404 for an object that is not there"
    )


def test_a_missing_bucket_is_named(s3_store: S3Store) -> None:
    """Not taken for a missing object."""
    store = S3Store(s3_store._client, "no-such-bucket")
    for use in (lambda: store.get("k"), lambda: store.put("k", b""), lambda: list(store.list(""))):
        with pytest.raises(StorageError) as caught:
            use()
        assert not isinstance(caught.value, MissingObject)
        assert str(caught.value) == (
            "The bucket `no-such-bucket` does not exist.\n  at: s3://no-such-bucket\n"
            "  fix: deploy the stack first, or correct the bucket's name and the region"
        )


def test_server_errors_become_unavailable_after_the_tries(
    s3_requests: tuple[S3Store, Requests], s3_server: CountedServer
) -> None:
    """One 503 is repeated and not seen; when all tries fail the error is ours."""
    store, requests = s3_requests
    store.put("k", b"x")
    requests.clear()
    s3_server.fail_next.append((503, "SlowDown"))
    assert store.get("k") == b"x"
    assert len(requests) == 2
    client = s3_client(s3_server.url, "us-east-1")
    once: Any = client.meta.config.merge(Config(retries={"total_max_attempts": 1, "mode": "standard"}))
    impatient = S3Store(_client_with(s3_server.url, once), store._bucket)
    s3_server.fail_next.append((500, "InternalError"))
    with pytest.raises(StorageUnavailable, match="S3 answered 500 InternalError until the tries were used up"):
        impatient.get("k")
    client.close()


def test_no_connection_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection names the object and says to check the endpoint."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=1)
    store = S3Store(_client_with("http://127.0.0.1:9", config), "bucket")
    with pytest.raises(StorageUnavailable) as caught:
        store.get("k")
    assert caught.value.problem == (
        "Could not read the object `k` in the bucket `bucket`: "
        'Could not connect to the endpoint URL: "http://127.0.0.1:9/bucket/k".'
    )
    assert caught.value.hint == "check the network and the endpoint, then try again"


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [("NoSuchKey", 404, MissingObject), ("ExpiredToken", 400, StorageError), ("PreconditionFailed", 412, Refused)],
)
def test_each_answer_has_its_error(code: str, status: int, kind: type[Exception]) -> None:
    """By code, as AWS documents them."""
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(kind), translated("read", "bucket", "k"):
        raise ClientError(answer, "GetObject")


def test_the_client_honours_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Region and endpoint come from the variables that Lambda and the local engines set."""
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    client = s3_client()
    assert client.meta.region_name == "eu-north-1"
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    assert client.meta.config.max_pool_connections >= 64
    client.close()


def _client_with(url: str, config: Any) -> Any:
    import boto3

    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config)
