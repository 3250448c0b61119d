"""obstore tells what happened in texts; from the real ones our errors are made."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from solidstate.errors import MissingObject, StorageError, StorageUnavailable
from solidstate.storage import s3_repeat
from solidstate.storage.s3_answers import Again, Refused
from solidstate.storage.s3_obstore import ObstoreS3Store, obstore_bucket
from solidstate.storage.s3_obstore_errors import translated
from tests.conftest_s3 import CountedServer


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_repeat, "FIRST_WAIT_S", 0.0)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def at(store: ObstoreS3Store) -> str:
    return f"`k` in the bucket `{store._bucket}`"


def test_the_answers_to_conditional_writes_are_kept_apart(
    obstore_store: ObstoreS3Store, s3_server: CountedServer
) -> None:
    """In obstore there is one exception for both: 412, an object was there; 409, two writers met."""
    for status, code, kind in ((412, "PreconditionFailed", Refused), (409, "ConditionalRequestConflict", Again)):
        s3_server.fail_next.append((status, code))
        with pytest.raises(kind), translated("write", "bucket", "k"):
            obstore_store._store.put("k", b"x", mode="create")


def test_another_region_is_told(obstore_store: ObstoreS3Store, s3_server: CountedServer) -> None:
    """S3 says where to go in a way that only boto3 understands."""
    s3_server.fail_next.append((301, "PermanentRedirect"))
    with pytest.raises(StorageError) as caught:
        obstore_store.get("k")
    assert str(caught.value) == (
        f"Could not read the object {at(obstore_store)}: S3 answered 301, the bucket is in another region.\n"
        f"  at: s3://{obstore_store._bucket}/k\n"
        "  fix: use a bucket in the region of the function, or set AWS_REGION to the bucket's"
    )


def test_an_answer_nobody_expects_is_passed_on(obstore_store: ObstoreS3Store, s3_server: CountedServer) -> None:
    """In one line, without Rust's view of the error."""
    s3_server.fail_next.append((418, "Teapot"))
    with pytest.raises(StorageError) as caught:
        obstore_store.get("k")
    assert not isinstance(caught.value, (MissingObject, StorageUnavailable))
    assert caught.value.problem == (
        f"Could not read the object {at(obstore_store)}: Server returned non-2xx status code: 418 I'm a teapot: "
        "<Error><Code>Teapot</Code><Message>as the test wants it</Message></Error>."
    )


@pytest.mark.parametrize("mode", ["create", "overwrite"])
def test_a_write_that_was_cut_off_is_told_at_once(
    obstore_store: ObstoreS3Store, s3_server: CountedServer, mode: str
) -> None:
    """Written or not, nobody knows; obstore itself asks for nothing twice."""
    s3_server.requests.clear()
    s3_server.lose_next = 1
    with pytest.raises(Again) as caught, translated("write", "bucket", "k"):
        obstore_store._store.put("k", b"x", mode=mode)
    assert caught.value.came == "no answer"
    assert caught.value.error.problem == (
        "Could not write the object `k` in the bucket `bucket`: Connection was closed before we received a valid "
        f'response from endpoint URL: "{s3_server.url}/{obstore_store._bucket}/k".'
    )
    assert s3_server.requests == [("PUT", "k")]
    assert obstore_store.get("k") == b"x"


class Slow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        threading.Event().wait(1)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about."""


def serving(server: Server, scheme: str) -> Iterator[str]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"{scheme}://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def slow_server() -> Iterator[str]:
    yield from serving(Server(("127.0.0.1", 0), Slow), "http")


@pytest.fixture
def untrusted_server(tmp_path: Path) -> Iterator[str]:
    """HTTPS on loopback with a certificate that nobody has signed."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "both.pem").write_bytes(secret + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    server = Server(("127.0.0.1", 0), Slow)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from serving(server, "https")


@pytest.mark.usefixtures("credentials")
def test_silence_is_no_answer(slow_server: str) -> None:
    """After the patience of the client, in the words of botocore."""
    store = ObstoreS3Store(obstore_bucket("bucket", slow_server, "us-east-1", silence="100ms"), "bucket")
    with pytest.raises(StorageUnavailable) as caught:
        store.get("k")
    assert caught.value.problem == (
        f"Could not read the object `k` in the bucket `bucket`: Read timeout on endpoint URL: "
        f'"{slow_server}/bucket/k". 6 tries failed: no answer (6).'
    )


@pytest.mark.usefixtures("credentials")
def test_a_certificate_that_is_not_trusted_is_told(untrusted_server: str) -> None:
    """Not taken for a network that is down."""
    store = ObstoreS3Store(obstore_bucket("bucket", untrusted_server, "us-east-1"), "bucket")
    with pytest.raises(StorageUnavailable) as caught:
        store.get("k")
    assert caught.value.problem == (
        "Could not read the object `k` in the bucket `bucket`: "
        f'SSL validation failed for "{untrusted_server}/bucket/k": UnknownIssuer. 6 tries failed: no answer (6).'
    )
