"""Local runs under a deployment's policies: what is declared works, what is not is denied, however it is asked."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from solidstate import Compute, Mode, Permission, pipeline, resource, solid
from solidstate.infra.enforcement import Enforcement
from solidstate.infra.home import Home
from solidstate.infra.iam_denials import Denial
from solidstate.infra.local_lambda import LambdaContext
from solidstate.infra.local_run import BUCKET, run_local
from solidstate.infra.policies import FunctionPolicy
from solidstate.pipeline import PipelineDefinition
from solidstate.storage.records import RunSummary
from tests.e2e.everything import everything
from tests.infra.templates import letter_n, mapped

pytestmark = pytest.mark.slow  # each runs on a local AWS of its own

OUT = "arn:aws:s3:::${DataBucket}/out/*"


def enforced(definition: PipelineDefinition, folder: Path, document: Any = None) -> tuple[RunSummary, list[Denial]]:
    denials: list[Denial] = []
    home = Home(folder / "home")
    summary = run_local(definition, document or {}, engine="moto", home=home, run_id="r1", enforce_iam=denials.extend)
    return summary, denials


def s3() -> Any:
    return boto3.client("s3")


def one_step(*permissions: Permission) -> Any:
    """A decorator that makes a pipeline of one solid."""

    def make(fn: Any) -> PipelineDefinition:
        step = solid(permissions=permissions)(fn)

        @pipeline(name="one")
        def one() -> None:
            step()

        return one

    return make


def error_of(summary: RunSummary) -> str:
    (failed,) = (step for step in summary.steps if step.status == "failed")
    assert failed.error is not None
    return failed.error.message


@pytest.mark.parametrize(
    ("definition", "document"),
    [
        (letter_n, {}),
        (mapped, {}),
        (everything, {"solids": {"split": {"inputs": {"numbers": [3, 30]}}}}),
    ],
    ids=["rendezvous", "distributed map", "everything"],
)
def test_what_storage_needs_is_allowed(definition: PipelineDefinition, document: Any, tmp_path: Path) -> None:
    """Commits, intermediates, parked steps, items, summaries: the derived policies suffice, in every group."""
    summary, denials = enforced(definition, tmp_path, document)
    assert denials == []
    assert summary.status == ("failed" if definition is everything else "success")  # some of it fails on purpose


def test_what_is_declared_works(tmp_path: Path) -> None:
    """By boto3, by the run's file system, from another thread, with a client made elsewhere."""

    @solid(permissions=[Permission(["s3:GetObject", "s3:PutObject"], OUT)])
    def write(context: Any) -> str:
        s3().put_object(Bucket=BUCKET, Key="out/1", Body=b"1")
        context.fs.pipe_file(f"{BUCKET}/out/2", b"2")
        thread = threading.Thread(target=lambda: s3().put_object(Bucket=BUCKET, Key="out/3", Body=b"3"))
        thread.start()
        thread.join()
        return str(s3().get_object(Bucket=BUCKET, Key="out/3")["Body"].read().decode())

    @pipeline
    def writes() -> None:
        write()

    summary, denials = enforced(writes, tmp_path)
    assert (summary.status, denials) == ("success", [])


def test_what_is_not_declared_is_denied_with_the_line_to_add(tmp_path: Path) -> None:
    """The step fails as it would on AWS, and says what is missing."""

    def writes() -> None:
        s3().put_object(Bucket=BUCKET, Key="out/1", Body=b"1")

    summary, denials = enforced(one_step(Permission("s3:GetObject", OUT))(writes), tmp_path)
    assert summary.status == "failed"
    assert error_of(summary) == (
        "An error occurred (AccessDenied) when calling the PutObject operation: User: "
        "arn:aws:sts::123456789012:assumed-role/StepFunctionRole/local is not authorized to perform: s3:PutObject on "
        'resource: "arn:aws:s3:::solidstate-local/out/1" because no identity-based policy allows the s3:PutObject '
        "action. Declare it on `writes`, or on the resource that does this: "
        'permissions=[Permission("s3:PutObject", "arn:aws:s3:::${DataBucket}/out/1")]'
    )
    assert [denial.declaration for denial in denials] == [
        'permissions=[Permission("s3:PutObject", "arn:aws:s3:::${DataBucket}/out/1")]'
    ]


def test_the_declaration_it_names_is_enough(tmp_path: Path) -> None:
    """Whoever pastes the line is done."""

    def write() -> None:
        s3().put_object(Bucket=BUCKET, Key="out/1", Body=b"1")

    _, (denial,) = enforced(one_step()(write), tmp_path / "before")
    line = denial.declaration.removeprefix("permissions=")
    declared = eval(line, {"Permission": Permission})  # noqa: S307 - our own line is Python, which is what is tested
    summary, denials = enforced(one_step(*declared)(write), tmp_path / "after")
    assert (summary.status, denials) == ("success", [])


BY = {
    "the run's file system": lambda context: context.fs.pipe_file(f"{BUCKET}/out/1", b"1"),
    "a client with other keys": lambda _: boto3.client(
        "s3", aws_access_key_id="mine", aws_secret_access_key="mine"
    ).put_object(Bucket=BUCKET, Key="out/1", Body=b"1"),
    "another process": lambda _: subprocess.run(
        [sys.executable, "-c", f"import boto3; boto3.client('s3').put_object(Bucket={BUCKET!r}, Key='out/1')"],
        check=True,
        capture_output=True,
    ),
    "a presigned address": lambda _: (
        __import__("requests")
        .put(s3().generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "out/1"}), timeout=10)
        .raise_for_status()
    ),
}


@pytest.mark.parametrize("way", BY)
def test_whichever_way_it_is_asked(way: str, tmp_path: Path) -> None:
    """In this process or another, through whatever library."""

    @solid(name="write")
    def write(context: Any) -> None:
        BY[way](context)

    @pipeline
    def sneaky() -> None:
        write()

    summary, denials = enforced(sneaky, tmp_path)
    assert summary.status == "failed"
    assert [(denial.asked.action, denial.steps) for denial in denials] == [("s3:PutObject", ("write",))]


def test_steps_have_the_permissions_of_their_own_function(tmp_path: Path) -> None:
    """What one step may is not what another may, at the same time and with the same resource key."""

    @resource(permissions=[Permission("s3:PutObject", OUT)])
    def bucket() -> Any:
        return s3()

    @solid(resources={"bucket"})
    def may(context: Any) -> None:
        context.resources.bucket.put_object(Bucket=BUCKET, Key="out/may", Body=b"1")
        time.sleep(0.1)

    @solid
    def may_not() -> None:
        s3().put_object(Bucket=BUCKET, Key="out/may_not", Body=b"1")
        time.sleep(0.1)

    @solid(compute=Compute(memory_mb=2048))
    def may_neither() -> None:
        s3().put_object(Bucket=BUCKET, Key="out/may_neither", Body=b"1")

    @pipeline(modes=[Mode("default", {"bucket": bucket})])
    def several() -> None:
        may()
        may_not()
        may_neither()

    summary, denials = enforced(several, tmp_path)
    assert {step.step: step.status for step in summary.steps} == {
        "may": "success",
        "may_not": "failed",
        "may_neither": "failed",
    }
    assert {(denial.steps, denial.group) for denial in denials} == {
        (("may_not",), ""),
        (("may_neither",), "Memory2048"),
    }


def test_other_services_are_judged_too(tmp_path: Path) -> None:
    """Queues by name, parameters by path; the region and account that a declaration names do not matter here."""

    def send() -> None:
        boto3.client("sqs").send_message(QueueUrl="http://localhost/1/orders", MessageBody="x")

    _, (denial,) = enforced(one_step()(send), tmp_path / "denied")
    assert denial.asked.action == "sqs:SendMessage"
    allowed = Permission("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:orders")
    summary, denials = enforced(one_step(allowed)(send), tmp_path / "allowed")
    assert denials == []
    assert "NonExistentQueue" in error_of(summary)  # it was asked: moto has no such queue


def test_missing_objects_are_hidden_from_who_may_not_list(tmp_path: Path) -> None:
    """S3 answers 403, not 404: a step that expects the latter is told before it is deployed."""

    def look() -> None:
        s3().create_bucket(Bucket="other")
        s3().head_object(Bucket="other", Key="out/none")

    make = Permission("s3:CreateBucket", "arn:aws:s3:::other")
    read = Permission("s3:GetObject", "arn:aws:s3:::other/out/*")
    summary, denials = enforced(one_step(make, read)(look), tmp_path / "hidden")
    assert "(403)" in error_of(summary)
    assert [denial.asked.action for denial in denials] == ["s3:ListBucket"]
    listing = Permission("s3:ListBucket", "arn:aws:s3:::other")
    summary, denials = enforced(one_step(make, read, listing)(look), tmp_path / "told")
    assert denials == []
    assert "(404)" in error_of(summary)


def test_listing_is_for_the_pipeline_s_own_keys(tmp_path: Path) -> None:
    """The permission that tells missing objects is no permission to look around."""

    def look() -> None:
        s3().list_objects_v2(Bucket=BUCKET, Prefix="v1/runs/one/")
        s3().list_objects_v2(Bucket=BUCKET, Prefix="v1/runs/")

    _, (denial,) = enforced(one_step()(look), tmp_path)
    assert denial.asked.context == {"s3:prefix": "v1/runs/"}


def test_one_identity_at_a_time() -> None:
    """Steps of one function run together, those of another wait, and nothing is judged while nothing runs."""
    policies = [FunctionPolicy("", ("a", "b"), ()), FunctionPolicy("X", ("x",), ())]
    enforcement = Enforcement(policies, "data")
    running: list[str] = []
    seen: list[set[str]] = []
    lock = threading.Lock()
    together = threading.Barrier(2, timeout=10)

    def invoke(_: str, event: Any, __: LambdaContext) -> None:
        with lock:
            running.append(event["step"])
            seen.append(set(running))
        if event["step"] != "x":
            together.wait()
        with lock:
            running.remove(event["step"])

    invoker = enforcement.invoker(invoke)
    context: Any = None
    threads = [threading.Thread(target=invoker, args=("f", {"kind": "step", "step": s}, context)) for s in "axb"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert {"a", "b"} in seen
    assert not any("x" in names and len(names) > 1 for names in seen)
