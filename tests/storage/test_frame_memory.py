"""A frame of about 100 MB streams to S3 and back within 2.5 times its size, itself included."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest_s3 import CLIENTS

# The server in a process of its own: what it holds is no part of the measurement.
_SERVER = """
import logging, time
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(*server.get_host_and_port(), flush=True)
time.sleep(600)
"""

# Peaks come from VmHWM, which the process can reset. getrusage's ru_maxrss would be wrong in both directions: a child
# starts with its parent's peak, and making the frame may need more for a moment than writing it.
_CLIENT = """
import sys
import numpy as np
import pandas as pd
from solidstate.storage.codecs import codec_for, codec_named
from solidstate.storage.s3 import S3Store, s3_client
from solidstate.storage.s3_obstore import ObstoreS3Store, obstore_bucket
from solidstate.storage.sink import store_value

def status(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) * 1024

def reset():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")

def frame(rows, kind):
    random = np.random.default_rng(7)
    if kind == "random":  # cannot be compressed: the bytes, too, are of the frame's size
        return pd.DataFrame({f"c{i}": random.random(rows) for i in range(13)})
    return pd.DataFrame({
        "id": np.arange(rows),
        "name": (np.arange(rows) % 5000).astype(str),
        "kind": pd.Categorical(["a", "b"] * (rows // 2)),
        "time": pd.date_range("2020", periods=rows, freq="s"),
        **{f"f{i}": random.integers(0, 1000, rows) / 4 for i in range(9)},
    })

url, what, kind, client = sys.argv[1:]
if what == "write":
    s3_client(url, "us-east-1").create_bucket(Bucket="bucket")
if client == "boto3":
    store = S3Store(s3_client(url, "us-east-1"), "bucket")
else:
    store = ObstoreS3Store(obstore_bucket("bucket", url, "us-east-1"), "bucket")
small = frame(1000, kind)
name = codec_for(small).name
store_value(store, "small", small, codec_for(small), limit=0)
codec_named(name).decode(store.get("small"))
start = status("VmRSS")
if what == "write":
    value = frame(1_000_000, kind)
    reset()
    store_value(store, "large", value, codec_for(value))
else:
    reset()
    value = codec_named(name).decode(store.get("large"))
print((status("VmHWM") - start) / value.memory_usage(deep=True).sum())
"""


@pytest.fixture
def server_url() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    host, port = process.stdout.readline().split()
    yield f"http://{host}:{port}"
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are read from Linux's /proc")
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", ["random", "mixed"])
def test_a_large_frame_needs_little_more_memory_than_itself(kind: str, client: str, server_url: str) -> None:
    """Peak growth over what the warmed-up process had, as a ratio of the frame's size; both directions."""
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for what in ("write", "read"):
        command = [sys.executable, "-W", "error", "-c", _CLIENT, server_url, what, kind, client]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        ratio = float(done.stdout)
        print(f"\n{what} {kind}: {ratio:.2f} times the frame")
        assert ratio <= 2.5
