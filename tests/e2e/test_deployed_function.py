"""The function as it is deployed: each invocation in a process of its own, S3 over a socket, through either client."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from solidstate.planner.build import build_plan
from solidstate.planner.plan import encode_plan, plan_hash
from tests.conftest_s3 import CLIENTS, CountedServer, bucket, s3_boto3, s3_server

__all__ = ["bucket", "s3_boto3", "s3_server"]

FLOW = """
from solidstate import pipeline, solid

@solid
def load(size: int) -> bytes:
    return bytes(range(200)) * (size // 200)

@solid
def total(data: bytes) -> int:
    return sum(data)

@pipeline
def deployed() -> None:
    total(load())
"""

INVOKE = """
import json, sys
from solidstate.handler.entry import lambda_handler

class Context:
    aws_request_id = "request-1"
    def get_remaining_time_in_millis(self):
        return 60_000

try:
    answer = {"answer": lambda_handler(json.loads(sys.argv[1]), Context())}
except Exception as error:
    answer = {"error": type(error).__name__, "text": str(error)}
print(json.dumps({**answer, "modules": sorted(sys.modules)}))
"""
SIZE = 1_000_000


class Deployed:
    """The function of one bundle. ``run`` is what Start run answered."""

    def __init__(self, folder: Path, environment: dict[str, str], plan: str) -> None:
        self.folder = folder
        self.environment = environment
        self.plan = plan
        self.modules: set[str] = set()
        self.run: Any = None

    def invoke(self, **event: Any) -> Any:
        """One invocation; answers, or what was raised."""
        command = [sys.executable, "-c", INVOKE, json.dumps(event)]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        self.modules = set(said.pop("modules"))
        return said.get("answer", said)

    def start(self, name: str) -> None:
        document = {"solids": {"load": {"inputs": {"size": SIZE}}}}
        event = {"pipeline": "deployed", "plan": self.plan, "execution": f"arn:{name}", "name": name}
        self.run = self.invoke(kind="start", **event, input=document)["run"]

    def step(self, name: str, retry: int = 0) -> Any:
        return self.invoke(kind="step", step=name, run=self.run, retry=retry)


@pytest.fixture(params=[*CLIENTS, None])
def deployed(request: pytest.FixtureRequest, tmp_path: Path, s3_server: CountedServer, bucket: str) -> Deployed:
    """With the client that is asked for, and with the one that is chosen when none is."""
    (tmp_path / "deployed_flow.py").write_text(FLOW)
    spec = importlib.util.spec_from_file_location("deployed_flow", tmp_path / "deployed_flow.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plan = build_plan(module.deployed)
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "deployed.json").write_bytes(encode_plan(plan))
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ},
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_server.url,
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "SOLIDSTATE_PIPELINES": "deployed_flow:deployed",
        "SOLIDSTATE_BUCKET": bucket,
        **({"SOLIDSTATE_S3": request.param} if request.param else {}),
    }
    s3_server.requests.clear()
    return Deployed(tmp_path, environment, plan_hash(plan))


def test_a_run_of_cold_invocations(deployed: Deployed, s3_server: CountedServer) -> None:
    """Each costs the requests it is said to cost and ends as it should; the client makes no difference."""
    deployed.start("run-1")
    assert [method for method, _ in s3_server.requests] == ["PUT", "PUT"]
    s3_server.requests.clear()
    assert deployed.step("load")["outputs"] == {"result": "bytes, 1000000 bytes"}
    assert [method for method, _ in s3_server.requests] == ["PUT", "PUT"]
    s3_server.requests.clear()
    assert deployed.step("total")["outputs"] == {"result": "int, 5 bytes"}
    assert [method for method, _ in s3_server.requests] == ["GET", "GET", "PUT"]
    s3_server.requests.clear()
    again = deployed.step("total", retry=1)
    assert (again["status"], again.get("attempt", 1)) == ("success", 1)
    assert [method for method, _ in s3_server.requests] == [
        "GET",
        "PUT",
    ]  # whose it is, and the note of having found it
    end = deployed.invoke(kind="end", run=deployed.run)
    assert (end["status"], end["steps"]) == ("success", {"success": 2})


def test_a_commit_whose_answer_was_lost_is_still_ours(deployed: Deployed, s3_server: CountedServer) -> None:
    """The PUT is repeated, S3 says that there is an object, and the object says that it is this attempt's. That it
    had to be repeated is on record beside it."""
    deployed.start("run-2")
    s3_server.requests.clear()
    s3_server.lose_next = 1  # the data
    deployed.step("load")
    assert [method for method, _ in s3_server.requests] == ["PUT", "PUT", "PUT"]
    s3_server.requests.clear()
    s3_server.lose_after, s3_server.lose_next = 2, 1  # the commit, after the two objects it is made of
    digest = deployed.step("total")
    assert [method for method, _ in s3_server.requests] == ["GET", "GET", "PUT", "PUT", "GET", "PUT"]
    assert (digest["status"], digest.get("attempt", 1)) == ("success", 1)


def test_obstore_leaves_boto3_out(deployed: Deployed) -> None:
    """A step that needs no other AWS service loads nothing of boto3 but the bare package `botocore`, where Powertools
    leaves a note for whoever makes a client later."""
    deployed.start("run-3")
    deployed.step("load")
    deployed.step("total")
    sdk = {
        name for name in deployed.modules if name.partition(".")[0] in ("boto3", "botocore", "s3transfer", "urllib3")
    }
    if deployed.environment.get("SOLIDSTATE_S3") == "boto3":
        assert "boto3.session" in sdk
        assert "obstore" not in deployed.modules
    else:
        assert sdk <= {"botocore"}
        assert "obstore" in deployed.modules


def test_a_wrong_client_is_a_readable_error(deployed: Deployed) -> None:
    """Whoever set the variable reads in the console what it may be."""
    deployed.environment["SOLIDSTATE_S3"] = "boto"
    said = deployed.invoke(kind="step", step="load", run={})
    assert said == {
        "error": "SolidstateError",
        "text": "The environment variable `SOLIDSTATE_S3` is 'boto'; expected `obstore` or `boto3`.\n"
        "  fix: did you mean `boto3`?",
    }
