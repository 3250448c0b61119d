"""Memory as the kernel counts it, of a process and its children."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from solidstate.infra.lambda_memory import peak_bytes
from tests.infra.functions import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
MB = 1024 * 1024
BRIEFLY = (
    "data = bytearray(150 << 20); data[::4096] = b'x' * len(data[::4096]); del data; print('done', flush=True); input()"
)
IN_CHILD = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c', "
    "\"import time; data = bytearray(150 << 20); data[::4096] = b'x' * len(data[::4096]); time.sleep(30)\"])"
)


def started(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_the_peak_is_remembered() -> None:
    """Memory that was freed between two looks would have been counted by Lambda."""
    process = started(BRIEFLY)
    assert process.stdout is not None
    assert process.stdout.readline() == b"done\n"
    peak = peak_bytes(process.pid)
    assert 150 * MB < peak < 250 * MB
    process.communicate(b"\n")
    assert peak_bytes(process.pid) == 0


def test_children_count() -> None:
    """They share the function's memory."""
    process = started(IN_CHILD)
    try:
        assert until(lambda: peak_bytes(process.pid) > 150 * MB)
        assert peak_bytes(process.pid) < 300 * MB
    finally:
        subprocess.run(["pkill", "-9", "-P", str(process.pid)], check=False)
        process.kill()
        process.communicate()


def test_looking_is_cheap() -> None:
    """It is done fifty times a second for each invocation."""
    process = started("input()")
    try:
        began = time.thread_time()
        for _ in range(100):
            peak_bytes(process.pid)
        assert time.thread_time() - began < 1.0
    finally:
        process.communicate(b"\n")
