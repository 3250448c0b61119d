"""Faults on the way to S3: what each does to a client, which requests meet it, and that chance can be repeated."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from solidstate import RetryPolicy, pipeline, solid
from solidstate.errors import SolidstateError, StorageError, StorageUnavailable
from solidstate.events import StorageRetry, kind_of
from solidstate.storage import s3_repeat
from solidstate.storage.files import open_s3
from solidstate.storage.history import step_events
from solidstate.storage.s3 import S3Store, s3_client
from solidstate.storage.s3_obstore import ObstoreS3Store, obstore_bucket
from solidstate.testing import FaultyS3, LocalStack, open_faulty_s3
from solidstate.testing.fault_kinds import FaultNotMet
from solidstate.testing.faulty_s3 import HttpFault, HttpRule
from tests.conftest_s3 import CLIENTS, AnyS3Store, CountedServer, bucket, s3_boto3, s3_server

__all__ = ["bucket", "s3_boto3", "s3_server"]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_repeat, "FIRST_WAIT_S", 0.0)


@pytest.fixture
def faults(s3_server: CountedServer) -> Iterator[FaultyS3]:
    """A proxy before the S3 of the session; whether its rules were met is up to each test."""
    with open_faulty_s3(s3_server.url) as made:
        yield made
        made._rules.clear()


def store_at(url: str, client: str, bucket: str) -> AnyS3Store:
    """The bucket through one of the clients."""
    if client == "boto3":
        return S3Store(s3_client(url, "us-east-1"), bucket)
    return ObstoreS3Store(obstore_bucket(bucket, url, "us-east-1"), bucket)


@pytest.fixture(params=CLIENTS)
def store(request: pytest.FixtureRequest, faults: FaultyS3, bucket: str) -> AnyS3Store:
    """The bucket behind the proxy, through each client."""
    return store_at(faults.url, request.param, bucket)


def test_what_meets_no_fault_is_passed_on(store: AnyS3Store, faults: FaultyS3) -> None:
    """Every verb, bodies of any size, keys of any kind; each is noted once."""
    key, large = "a b/ü+%.txt", bytes(17 * 1024 * 1024)
    store.put(key, b"x")
    assert store.put(key, b"y", if_absent=True) is False
    assert (store.get(key), store.get_part(key, 0, 9), store.exists(key)) == (b"x", b"x", True)
    assert [info.key for info in store.list("a")] == [key]
    store.delete(key)
    assert not store.exists(key)
    with store.writer("large") as sink:
        sink.write(large)
    assert store.get("large") == large
    assert [(one.method, one.key, one.conditional) for one in faults.requests[:3]] == [
        ("PUT", key, False),
        ("PUT", key, True),
        ("GET", key, False),
    ]
    assert faults.met() == {}


def test_a_file_system_is_a_client_too(faults: FaultyS3, bucket: str) -> None:
    """s3fs, which `context.fs` is; it repeats requests by its own rules."""
    faults.rule("503 SlowDown", method="GET")
    fs = open_s3(faults.url)
    fs.pipe_file(f"{bucket}/file", b"x")
    assert fs.cat_file(f"{bucket}/file") == b"x"
    assert faults.met() == {"503 SlowDown": 1}


@pytest.mark.parametrize("fault", ["503 SlowDown", "500 InternalError", "reset", "lost answer", "truncated", "delay"])
def test_what_passes_is_got_over(store: AnyS3Store, faults: FaultyS3, fault: HttpFault) -> None:
    """By asking again, through either client."""
    store.put("k", b"0123456789")
    rule = faults.rule(fault, times=2)
    assert store.get("k") == b"0123456789"
    assert store.exists("k")
    assert [info.size for info in store.list("k")] == [10]
    assert rule.count == 2


@pytest.mark.parametrize("fault", ["409 ConditionalRequestConflict", "503 SlowDown", "reset"])
def test_a_conditional_put_that_was_not_done_is_done_later(
    store: AnyS3Store, faults: FaultyS3, fault: HttpFault
) -> None:
    """And is the first."""
    faults.rule(fault, times=3, method="PUT")
    assert store.put("k", b"mine", if_absent=True) is True
    assert store.get("k") == b"mine"
    assert [one.fault for one in faults.requests] == [fault] * 3 + [None] * 2


def test_a_conditional_put_whose_answer_was_lost_finds_its_own(store: AnyS3Store, faults: FaultyS3) -> None:
    """S3 had done it, so the second try hears 412. Who reads the object sees whose it is."""
    faults.rule("lost answer", method="PUT")
    assert store.put("k", b"mine", if_absent=True) is False
    assert store.get("k") == b"mine"


@pytest.mark.parametrize(("fault", "kind"), [("403 AccessDenied", StorageError), ("412 PreconditionFailed", None)])
def test_decisions_are_heard_once(
    store: AnyS3Store, faults: FaultyS3, fault: HttpFault, kind: type[Exception] | None
) -> None:
    """403 and 412 are never asked again."""
    faults.rule(fault, times=9)
    if kind is None:
        assert store.put("k", b"x", if_absent=True) is False
    else:
        with pytest.raises(kind):
            store.put("k", b"x", if_absent=True)
    assert len(faults.requests) == 1


def test_a_part_of_a_large_object_is_sent_again(store: AnyS3Store, faults: FaultyS3) -> None:
    """Beginning, parts and end of a multipart upload, whose last answer may be lost."""
    large = bytes(17 * 1024 * 1024)
    for fault, method in (("503 SlowDown", "POST"), ("reset", "PUT"), ("500 InternalError", "PUT")):
        faults.rule(fault, method=method)  # type: ignore[arg-type]  # literals in a tuple
    with store.writer("large") as sink:
        sink.write(large)
    assert sum(faults.met().values()) == 3
    assert store.get("large") == large


def test_the_end_of_an_upload_whose_answer_was_lost_is_an_end(store: AnyS3Store, faults: FaultyS3) -> None:
    """S3 does not know the upload any more, and the object is there."""
    with store.writer("large") as sink:
        sink.write(bytes(17 * 1024 * 1024))
        while len(faults.requests) < 2:  # the upload is begun, its first part sent
            time.sleep(0.01)
        faults.rule("lost answer", method="POST")
        faults._rules.append(HttpRule("404 NoSuchUpload", 1, "POST", "*"))  # type: ignore[arg-type]  # moto is kinder
    assert list(faults.met()) == ["lost answer", "404 NoSuchUpload"]
    assert store.exists("large")


def test_an_upload_that_nobody_knows_is_an_error(store: AnyS3Store, faults: FaultyS3) -> None:
    """When the object is not there, it has not ended."""
    with pytest.raises(StorageError) as caught, store.writer("large") as sink:  # noqa: PT012  # the block is the subject
        sink.write(bytes(17 * 1024 * 1024))
        while len(faults.requests) < 2:
            time.sleep(0.01)
        faults._rules.append(HttpRule("404 NoSuchUpload", 1, "POST", "*"))  # type: ignore[arg-type]  # as above
    assert "NoSuchUpload" in caught.value.problem
    assert "max retries" not in caught.value.problem
    assert not store.exists("large")


def test_damage_on_the_way_is_not_hidden(faults: FaultyS3, bucket: str, s3_boto3: Any) -> None:
    """HTTP does not see it. boto3 does, where S3 has kept a checksum; solidstate does in any case, by its own."""
    s3_boto3.put_object(Bucket=bucket, Key="k", Body=b"abc")
    faults.rule("damaged", times=1)
    assert store_at(faults.url, "obstore", bucket).get("k") == b"`bc"


def test_damage_that_boto3_sees_is_got_over(faults: FaultyS3, bucket: str) -> None:
    """S3 keeps a checksum of what boto3 writes."""
    store = store_at(faults.url, "boto3", bucket)
    store.put("k", b"abc")
    faults.rule("damaged", times=2)
    assert store.get("k") == b"abc"
    faults.rule("damaged", times=6)
    with pytest.raises(StorageUnavailable) as caught:
        store.get("k")
    assert caught.value.problem == (
        f"Could not read the object `k` in the bucket `{bucket}`: Expected checksum NSRBwg== did not match calculated "
        "checksum: NOYr9Q==. 6 tries failed: damaged answer (6)."
    )


def test_rules_strike_where_they_are_meant_to(store: AnyS3Store, faults: FaultyS3) -> None:
    """By method, by key, as often as they say, the oldest first; 409 and 412 where a condition is."""
    rule = faults.rule("500 InternalError", times=2, method="PUT", key="a/*")
    faults.rule("412 PreconditionFailed", key="*")
    store.put("b", b"x")
    store.put("a/1", b"x")
    assert (rule.count, len(faults.requests)) == (2, 4)
    assert store.put("c", b"x", if_absent=True) is False
    assert [one.fault for one in faults.requests] == [
        None,
        "500 InternalError",
        "500 InternalError",
        None,
        "412 PreconditionFailed",
    ]


def test_a_rule_that_nothing_met_is_an_error(s3_server: CountedServer) -> None:
    """The test would prove nothing."""
    with pytest.raises(FaultNotMet) as caught, open_faulty_s3(s3_server.url) as faults:
        faults.rule("403 AccessDenied", method="GET", key="*/commits/*")
    assert str(caught.value) == (
        "No request met the fault `403 AccessDenied`: GET for a key like '*/commits/*'; 0 requests came.\n"
        "  fix: compare with `requests`, which has all that came"
    )


def test_a_fault_that_there_is_not(faults: FaultyS3) -> None:
    """Told with the one that was meant."""
    with pytest.raises(SolidstateError) as caught:
        faults.rule("403 Access Denied")  # type: ignore[arg-type]  # the subject
    assert str(caught.value) == (
        "There is no HTTP fault '403 Access Denied'; there are `503 SlowDown`, `500 InternalError`, `409 "
        "ConditionalRequestConflict`, `412 PreconditionFailed`, `403 AccessDenied`, `reset`, `lost answer`, "
        "`truncated`, `damaged`, `delay`.\n  fix: did you mean `403 AccessDenied`?"
    )


def test_chance_depends_on_the_request_alone(s3_server: CountedServer) -> None:
    """Whatever the order in which they come; another seed is another chance."""

    def drawn(seed: int, order: int) -> dict[str, list[HttpFault | None]]:
        with open_faulty_s3(s3_server.url) as faults:
            faults.at_random(seed, {"503 SlowDown": 0.2, "reset": 0.2, "409 ConditionalRequestConflict": 1.0})
            for key in [f"/bucket/{number}" for number in range(200)][::order] * 2:
                faults.fault_of("PUT", key, conditional=False)
            found: dict[str, list[HttpFault | None]] = {}
            for one in faults.requests:
                found.setdefault(one.key, []).append(one.fault)
            return found

    first = drawn(1, 1)
    assert first == drawn(1, -1)
    assert first != drawn(2, 1)
    every = [fault for faults in first.values() for fault in faults]
    assert set(every) == {"503 SlowDown", "reset", None}
    assert 50 < every.count("503 SlowDown") < 110


@solid(retry=RetryPolicy(max_attempts=2))
def load() -> list[int]:
    return [1, 2, 3]


@solid
def total(context: Any, amounts: list[int]) -> int:
    return sum(amounts)


@pipeline
def orders() -> None:
    total(load())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_run_on_the_local_stack(local_stack: LocalStack, client: str) -> None:
    """Both clients, each repetition on record in its step's events."""
    with local_stack.faulty_s3(client) as s3:
        s3.rule("503 SlowDown", times=2, method="PUT", key="*/commits/*/total/*")
        s3.rule("reset", method="GET", key="*/commits/*/load/*")
        result = local_stack.run(orders)
    assert result.output("total") == 6
    assert [(event.step, event.came, event.verb, event.tries) for event in result.events_of_kind(StorageRetry)] == [
        ("total", "no answer", "read", 1),
        ("total", "503 SlowDown", "write", 1),
        ("total", "503 SlowDown", "write", 2),
    ]
    assert local_stack.run(orders).events_of_kind(StorageRetry) == []


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_step_cannot_get_over_is_repeated_as_a_whole(local_stack: LocalStack, client: str) -> None:
    """Six tries, then the state machine's turn; both attempts are on record."""
    with local_stack.faulty_s3(client) as s3:
        s3.rule("503 SlowDown", times=6, method="PUT", key="*/commits/*/total/*")
        result = local_stack.run(orders)
    assert result.output("total") == 6
    errors = [
        event["lambdaFunctionFailedEventDetails"]["error"]
        for event in local_stack.history(result.summary.execution)
        if "lambdaFunctionFailedEventDetails" in event
    ]
    assert errors == ["StorageUnavailable"]
    told = [event for event in result.events if event.step == "total"]
    assert [(event.attempt, kind_of(event)) for event in told][:1] == [(1, "step_start")]
    assert [event.tries for event in told if isinstance(event, StorageRetry)] == [1, 2, 3, 4, 5]
    assert [event.attempt for event in told if kind_of(event) == "step_success"] == [2]


@pytest.mark.parametrize("client", CLIENTS)
def test_no_access_is_no_reason_to_repeat_anything(local_stack: LocalStack, client: str) -> None:
    """The step is refused at once, with the permission that is missing most often."""
    with local_stack.faulty_s3(client) as s3:
        s3.rule("403 AccessDenied", method="GET", key="*/commits/*/load/*")
        result = local_stack.run(orders, raise_on_error=False)
    error = result.failures["total"]
    assert error is not None
    key = f"v1/commits/orders/load/{result.run_id}.ndjson"
    assert (error.type, error.message) == (
        "StorageError",
        f"Could not read the object `{key}` in the bucket `{local_stack.bucket}`: access denied (403).",
    )
    assert error.hint == (
        "grant the role access to the object; for reads also `s3:ListBucket` on the bucket, because without it S3 "
        "answers 403 instead of 404 for an object that is not there"
    )
    assert result.result_for_solid("total").summary.attempts == 1


@pytest.mark.parametrize("client", CLIENTS)
def test_a_lost_commit_is_the_runs_own(local_stack: LocalStack, client: str) -> None:
    """The second try hears 412, and nothing is computed twice."""
    with local_stack.faulty_s3(client) as s3:
        s3.rule("lost answer", method="PUT", key="*/commits/*/total/*")
        result = local_stack.run(orders)
    assert result.output("total") == 6
    assert [kind_of(event) for event in result.events if event.step == "total"] == [
        "step_start",
        "step_input",
        "step_output",
        "step_success",
    ]
    events = step_events(local_stack.store, "orders", "total", result.run_id)
    assert [kind_of(event) for event in events][-1:] == ["storage_retry"]
