"""Handlers in a folder of their own, and what it takes to run them with AWS's runtime client."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidstate.infra.lambda_environment import Environment, Sandbox
from solidstate.infra.lambda_layers import link_packages
from solidstate.infra.local_lambda import LambdaContext

HANDLERS = """
    import os, subprocess, sys, tempfile, time

    COUNT = 0


    class OutOfStock(Exception):
        pass


    def handler(event, context):
        global COUNT
        COUNT += 1
        return globals()[event["do"]](event, context)


    def facts(event, context):
        return {
            "count": COUNT,
            "pid": os.getpid(),
            "request": context.aws_request_id,
            "left": context.get_remaining_time_in_millis(),
            "memory": context.memory_limit_in_mb,
            "arn": context.invoked_function_arn,
            "path": sys.path,
            "cwd": os.getcwd(),
            "environment": dict(os.environ),
            "temporary": tempfile.gettempdir(),
            "event": event,
        }


    def fail(event, context):
        raise OutOfStock("no more bolts")


    def leave(event, context):
        os._exit(event["status"])


    def die(event, context):
        os.kill(os.getpid(), event["signal"])
        time.sleep(5)


    def sleep(event, context):
        time.sleep(event["seconds"])
        return event["seconds"]


    def grow(event, context):
        size = event["mb"] << 20
        data = bytearray(size)
        data[::4096] = b"x" * len(data[::4096])
        time.sleep(event.get("seconds", 0))
        return len(data)


    def grow_in_child(event, context):
        script = "import sys, time; d = b'x' * (int(sys.argv[1]) << 20); time.sleep(5)"
        return subprocess.run([sys.executable, "-S", "-c", script, str(event["mb"])]).returncode


    def child(event, context):
        return subprocess.Popen(["/bin/sleep", "60"]).pid


    def write(event, context):
        try:
            with open(event["path"], "w") as file:
                file.write("x")
            os.mkdir(event["path"] + "-folder")
        except OSError as error:
            return [type(error).__name__, error.errno, str(error)]
        return "written"


    def speak(event, context):
        print("to stdout")
        print("to stderr", file=sys.stderr)


    def unreadable(event, context):
        return {1, 2}
"""


def code_folder(root: Path, source: str = HANDLERS) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "m.py").write_text(textwrap.dedent(source))
    return root


def sandbox(root: Path, *, handler: str = "m.handler", memory_mb: int = 512, source: str = HANDLERS) -> Sandbox:
    """Of handlers that are written below ``root``. Needs AWS's runtime client."""
    pytest.importorskip("awslambdaric")
    runtime = root / "runtime"
    return Sandbox(
        python=sys.executable,
        handler=handler,
        bundle=code_folder(root / "code", source),
        layers=(),
        runtime=runtime if runtime.exists() else link_packages(["awslambdaric"], runtime),
        variables={"PATH": "/usr/bin:/bin", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb), "GREETING": "hello"},
        memory_mb=memory_mb,
    )


def environment(root: Path, **options: Any) -> Environment:
    """One that starts its process in this thread."""
    return Environment(sandbox(root, **options), at_once, root / "tmp", root / "log.txt")


def at_once(start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    return start()


def context(timeout_s: float = 30) -> LambdaContext:
    return LambdaContext(
        function_name="f",
        memory_limit_in_mb="512",
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:f",
        deadline_s=time.monotonic() + timeout_s,
    )


def is_gone(pid: int) -> bool:
    """Whether a process has ended, or is only waiting for its parent to hear of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # it went while it was read
        return True


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether ``condition`` comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
