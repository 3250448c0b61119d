"""CPU of one step in a process of its own, from the start of the interpreter to its exit, S3 over a socket.

What a process costs is asked of the kernel when it has ended: user and system time, all threads. The server has a
process of its own and does not count. Processes are started as in Lambda: no `.pth` files of a development environment,
byte code there for everything.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import itertools
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import certifi

from bench.cold.flow import SIZE, flow
from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.inline import InlineInvocation
from solidstate.planner.build import build_plan
from solidstate.planner.plan import encode_plan
from solidstate.storage.memory import MemoryStore
from solidstate.storage.s3_obstore import ObstoreS3Store, obstore_bucket

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUCKET = "bench"


class Cold:
    """Fresh processes against one server; each method is one of them and returns its CPU seconds."""

    def __init__(self, url: str, folder: Path, trusted: Path | None) -> None:
        self._numbers = itertools.count()
        plan = build_plan(flow)
        (folder / "plans").mkdir(parents=True)
        (folder / "plans" / "flow.json").write_bytes(encode_plan(plan))
        libraries = sysconfig.get_path("purelib")
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT), libraries]),
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_SESSION_TOKEN": "bench",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "LAMBDA_TASK_ROOT": str(folder),
            "SOLIDSTATE_PIPELINES": "flow:flow",
            "SOLIDSTATE_BUCKET": BUCKET,
        }
        self._trusted = trusted
        self._store = ObstoreS3Store(obstore_bucket(BUCKET, url, "us-east-1"), BUCKET)
        self._loaded = LoadedPipeline(flow, plan)
        self._handler = make_handler(Runtime([self._loaded], self._store, engine="bench", open_fs=MemoryStore))

    def python(self) -> float:
        """The interpreter alone."""
        return self._run("-c", "pass")

    def imports(self) -> float:
        """Everything a step needs but a client: the handler, what makes its runtime, the user's module."""
        return self._run("-c", "import solidstate.handler.entry, solidstate.handler.deployment, flow")

    def boto3_client(self) -> float:
        """What a function written by hand imports and makes before it is called."""
        return self._run("-c", "import by_hand")

    def step(self, client: str) -> float:
        """`total`, whose input is in an object of its own: GET the commit, GET 1 MB, add up, PUT the commit."""
        name = f"run-{next(self._numbers)}"
        start = {"kind": "start", "pipeline": "flow", "plan": self._loaded.hash, "execution": name, "name": name}
        run = self._handler({**start, "input": {}}, InlineInvocation(60))["run"]
        self._handler({"kind": "step", "step": "load", "run": run}, InlineInvocation(60))
        event = {"kind": "step", "step": "total", "run": run}
        return self._invoke("solidstate.handler.entry", event, client)

    def by_hand(self) -> float:
        """The same by hand: GET 1 MB, add up, PUT unless there is one."""
        name = f"by-hand-{next(self._numbers)}"
        self._store.put(f"{name}/in", bytes(SIZE))
        return self._invoke("by_hand", {"input": f"{name}/in", "output": f"{name}/out"}, "boto3")

    def _invoke(self, module: str, event: dict[str, Any], client: str) -> float:
        extra = {"SOLIDSTATE_S3": client}
        if self._trusted is not None:  # each client has its own way of being told whom to trust
            extra |= {"AWS_CA_BUNDLE" if client == "boto3" else "SSL_CERT_FILE": str(self._trusted)}
        return self._run(str(HERE / "invoke.py"), module, json.dumps(event), **extra)

    def _run(self, *arguments: str, **extra: str) -> float:
        command = [sys.executable, "-S", *arguments]
        process = subprocess.Popen(command, env={**self._environment, **extra}, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"failed: {' '.join(command)}")
        return usage.ru_utime + usage.ru_stime


@contextmanager
def cold(folder: Path, *, tls: bool = False) -> Iterator[Cold]:
    """A server, and processes against it."""
    certificate, trusted = _certificate(folder) if tls else (None, None)
    command = [sys.executable, str(HERE / "s3_stand_in.py"), *([str(certificate)] if certificate else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            mine = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
            with patch.dict(os.environ, mine | ({"SSL_CERT_FILE": str(trusted)} if trusted else {})):
                yield Cold(url, folder / ("tls" if tls else "plain"), trusted)
        finally:
            server.kill()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback with its key, and everybody's authorities with this one more: as many as on Lambda."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now, day = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - day).not_valid_after(now + day)
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    private = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
    certificate, trusted = folder / "server.pem", folder / "trusted.pem"
    certificate.write_bytes(secret + pem)
    trusted.write_bytes(Path(certifi.where()).read_bytes() + pem)
    return certificate, trusted
