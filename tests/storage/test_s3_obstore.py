"""What is obstore's alone: its settings, its threads, its uploads."""

from __future__ import annotations

import base64
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from solidstate.errors import StorageUnavailable
from solidstate.storage.s3_obstore import ObstoreS3Store, obstore_bucket
from tests.conftest_s3 import CountedServer

MIB = 1024 * 1024


AWS = "https://data.s3.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("bucket", "variables", "url", "virtual"),
    [
        ("data", {}, AWS, "true"),
        ("data", {"AWS_REGION": "eu-west-1"}, "https://data.s3.eu-west-1.amazonaws.com", "true"),
        ("my.data", {"AWS_REGION": "eu-west-1"}, "https://s3.eu-west-1.amazonaws.com", "false"),
        ("data", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "http://127.0.0.1:1", "false"),
        ("data", {"AWS_ENDPOINT_URL_S3": "https://s3.test"}, "https://s3.test", "false"),
        ("data", {"AWS_ENDPOINT": "http://other.test", "AWS_ENDPOINT_URL_S3": "", "AWS_ALLOW_HTTP": "1"}, AWS, "true"),
    ],
)
def test_settings_come_from_the_usual_variables(
    monkeypatch: pytest.MonkeyPatch, bucket: str, variables: dict[str, str], url: str, virtual: str
) -> None:
    """Hosts as AWS wants them unless an endpoint is given; unencrypted only where the endpoint says so."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    made = obstore_bucket(bucket)
    assert (made.config["endpoint_url_s3"], made.config["virtual_hosted_style_request"]) == (url, virtual)
    assert made.client_options["allow_http"] == str(url.startswith("http://")).lower()


def test_a_given_endpoint_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, s3_server: CountedServer, bucket: str
) -> None:
    """Left alone, obstore prefers the variable of the service."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    store = ObstoreS3Store(obstore_bucket(bucket, s3_server.url, "us-east-1"), bucket)
    store.put("k", b"x")
    assert store.get("k") == b"x"


def test_the_session_token_is_sent(monkeypatch: pytest.MonkeyPatch, s3_server: CountedServer, bucket: str) -> None:
    """Lambda's credentials are worth nothing without it."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-token")
    ObstoreS3Store(obstore_bucket(bucket, s3_server.url, "us-east-1"), bucket).put("k", b"x")
    assert s3_server.headers["HTTP_X_AMZ_SECURITY_TOKEN"] == "the-token"


def test_bodies_are_signed_and_have_a_checksum(
    obstore_store: ObstoreS3Store, s3_server: CountedServer, s3_boto3: Any
) -> None:
    """S3 refuses a body that was changed on its way, and knows later what was meant."""
    digest = hashlib.sha256(b"x")
    obstore_store.put("small", b"x")
    assert s3_server.headers["HTTP_X_AMZ_CONTENT_SHA256"] == digest.hexdigest()
    assert s3_server.headers["HTTP_X_AMZ_CHECKSUM_SHA256"] == base64.b64encode(digest.digest()).decode()
    with obstore_store.writer("large") as sink:
        sink.write(bytes(17 * MIB))
    assert s3_boto3.head_object(Bucket=obstore_store._bucket, Key="large", ChecksumMode="ENABLED")["ChecksumSHA256"]


def test_many_threads_share_one_store(obstore_store: ObstoreS3Store) -> None:
    """Fan-in reads in parallel."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: obstore_store.put(f"k{n}", str(n).encode() * 1000), range(64)))
        found = list(pool.map(lambda n: obstore_store.get(f"k{n}"), range(64)))
    assert found == [str(n).encode() * 1000 for n in range(64)]


@pytest.mark.slow
def test_a_part_that_cannot_be_sent_ends_the_upload(
    obstore_store: ObstoreS3Store, s3_server: CountedServer, s3_boto3: Any
) -> None:
    """The failure of a part that was under way is met by the next one, or by the end; no part is left."""
    s3_server.requests.clear()
    with pytest.raises(StorageUnavailable), obstore_store.writer("k") as sink:  # noqa: PT012  # the block is the subject
        sink.write(bytes(17 * MIB))
        while len(s3_server.requests) < 2:  # the upload is begun, its first part sent
            time.sleep(0.01)
        s3_server.fail_next += [(500, "InternalError")] * 6
        sink.write(bytes(16 * MIB))
        sink.write(bytes(16 * MIB))
    assert not obstore_store.exists("k")
    assert "Uploads" not in s3_boto3.list_multipart_uploads(Bucket=obstore_store._bucket)


@pytest.mark.slow
def test_an_end_that_fails_makes_nothing_visible(obstore_store: ObstoreS3Store, s3_server: CountedServer) -> None:
    """The last part goes with the end of the upload. What stays of it is for the bucket's lifecycle rule."""
    s3_server.requests.clear()
    with pytest.raises(StorageUnavailable) as caught, obstore_store.writer("k") as sink:  # noqa: PT012  # likewise
        sink.write(bytes(17 * MIB))
        while len(s3_server.requests) < 2:
            time.sleep(0.01)
        s3_server.fail_next += [(500, "InternalError")] * 6
    assert caught.value.problem == (
        f"Could not write the object `k` in the bucket `{obstore_store._bucket}`: S3 answered 500 InternalError. "
        "6 tries failed."
    )
    assert not obstore_store.exists("k")
