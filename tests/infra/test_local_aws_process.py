"""The local AWS and the process around it: it starts empty, restores what it found, minds its neighbours and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # each starts processes that import moto

ROOT = Path(__file__).parents[2]
SCRIPT_ENV = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}

OPEN = """
import json, sys, time
from solidstate.infra.local_aws import local_aws
def invoke(name, event, context):
    return {"from": sys.argv[1]}
"""

SEQUENCE = (
    OPEN
    + """
import logging, os, threading
import boto3, s3fs
early = boto3.DEFAULT_SESSION = boto3.session.Session("real", "real", region_name="eu-west-1")
os.environ.update(AWS_PROFILE="mine", AWS_ACCESS_KEY_ID="real", AWS_SECRET_ACCESS_KEY="real", NO_PROXY="intranet")
os.environ.update(HTTP_PROXY="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9")
os.environ["AWS_ENDPOINT_URL_S3"] = "https://elsewhere.example"
before = dict(os.environ), logging.getLogger("moto").level
from moto.core.config import default_user_config
def interpreters():
    return [t for t in threading.enumerate() if "eval" in t.name or "_execution_logic" in t.name]
for attempt in range(2):
    with local_aws(invoke) as aws:
        assert boto3.client("s3").list_buckets()["Buckets"] == [], "not empty"
        assert boto3.client("s3").meta.endpoint_url == aws.endpoint_url
        keys = boto3.DEFAULT_SESSION.get_credentials()
        assert (keys.access_key, keys.secret_key, keys.token) == ("local", "local", "local")
        assert os.environ["NO_PROXY"] == "intranet,127.0.0.1,localhost"
        aws.create_bucket("again")
        files = s3fs.S3FileSystem()
        files.pipe("again/k", b"%d" % attempt)
        assert files.cat("again/k") == b"%d" % attempt
        aws.client("sqs").create_queue(QueueName="over-the-socket")
        failing = {"StartAt": "A", "States": {"A": {"Type": "Pass", "InputPath": "$.none", "End": True}}}
        assert aws.wait(aws.start(aws.create_machine("failing", json.dumps(failing)), None, {}))["status"] == "FAILED"
        waiting = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": True}}}
        aws.start(aws.create_machine("waiting", json.dumps(waiting)), None, {})
        time.sleep(0.2)
        try:
            with local_aws(invoke):
                raise ValueError
        except Exception as error:
            assert "already open" in str(error)
    assert (dict(os.environ), logging.getLogger("moto").level) == before, "not restored"
    assert boto3.DEFAULT_SESSION is early, "session not restored"
    assert logging.getLogger("werkzeug").handlers == [], "a log handler left behind"
    assert default_user_config["stepfunctions"] == {"execute_state_machine": False}, "moto's switch not restored"
    deadline = time.monotonic() + 10
    while interpreters() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not interpreters(), "an execution still runs"
try:
    with local_aws(invoke):
        raise KeyboardInterrupt
except KeyboardInterrupt:
    assert dict(os.environ) == before[0], "not restored after Ctrl-C"
with local_aws(invoke) as aws:
    aws.create_function("f", 3, 128)
from moto import mock_aws
with mock_aws():
    try:
        with local_aws(invoke):
            pass
    except Exception as error:
        print(error)
with local_aws(invoke) as aws:
    aws.create_bucket("works-after-a-refusal")
"""
)


def script(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Run the code in a process of its own, where every warning is an error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**environment, **SCRIPT_ENV},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sequential_openings_start_empty_and_restore_the_process() -> None:
    """Empty each time, quiet, no real credential or proxy used, all as before at the end, whatever ended it.

    Inside moto's own mock_aws, whose data would be lost, opening is refused.
    """
    process = script(SEQUENCE, "one")
    refusal = "moto's `mock_aws` is active in this process, whose data opening a local AWS would erase."
    out = f"{refusal}\n  fix: leave `mock_aws` before the run\n"
    assert (process.communicate(timeout=60), process.returncode) == ((out, ""), 0)


TOGETHER = (
    OPEN
    + """
with local_aws(invoke) as aws:
    function = aws.create_function("f", 30, 128)
    state = {"Type": "Task", "Resource": function, "End": True}
    machine = aws.create_machine("m", json.dumps({"StartAt": "A", "States": {"A": state}}))
    print(aws.endpoint_url, flush=True)
    sys.stdin.readline()
    print(aws.wait(aws.start(machine, "same", {}))["output"])
"""
)


def test_two_processes_do_not_disturb_each_other() -> None:
    """Both open at the same time, on different ports, with machines and executions of the same name."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TOGETHER, name],
            env={**environment, **SCRIPT_ENV},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    urls = {process.stdout.readline() for process in processes if process.stdout is not None}
    answers = [process.communicate("go\n", timeout=60)[0] for process in processes]
    assert len(urls) == 2
    assert answers == ['{"from": "one"}\n', '{"from": "two"}\n']


INTERRUPTED = (
    OPEN
    + """
import threading
def invoke(name, event, context):
    print("running", flush=True)
    time.sleep(60)
try:
    with local_aws(invoke) as aws:
        function = aws.create_function("f", 60, 128)
        state = {"Type": "Task", "Resource": function, "Retry": [{"ErrorEquals": ["States.ALL"]}], "End": True}
        machine = aws.create_machine("m", json.dumps({"StartAt": "A", "States": {"A": state}}))
        aws.wait(aws.start(machine, None, {}))
except KeyboardInterrupt:
    print("interrupted")
"""
)


def test_interrupt_ends_at_once() -> None:
    """Ctrl-C while a function runs comes through promptly, quietly, and no thread keeps the process."""
    process = script(INTERRUPTED, "one")
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=50)
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)
    assert time.monotonic() - began < 20  # the function would sleep for 60 s
