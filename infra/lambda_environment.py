"""One execution environment: a process of AWS's own runtime client on a bundle, with what Lambda holds it to.

A time limit ends in a kill, a memory limit too; a process that exits, or is killed by whomever, fails the invocation it
had. Errors read as Lambda's.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from solidstate.infra import lambda_bootstrap
from solidstate.infra.lambda_memory import peak_bytes
from solidstate.infra.local_lambda import LambdaContext, Outcome
from solidstate.infra.runtime_api import Answered, Event, Exited, InitFailed, Ready, RuntimeApi

INIT_LIMIT_S = 10.0
"""What a function may take to initialize before its own time begins (Lambda developer guide, "Init phase")."""
_MB = 1024 * 1024
_SIGNALS: dict[int, str] = {
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGHUP: "hangup",
    signal.SIGILL: "illegal instruction",
    signal.SIGINT: "interrupt",
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
}
"""As Go, in which Lambda's supervisor is written, names them."""


class Sandbox(msgspec.Struct, frozen=True):
    """What every environment of a function is made of. ``variables`` are all that its processes see."""

    python: str
    handler: str
    bundle: Path
    layers: tuple[Path, ...]
    runtime: Path
    variables: dict[str, str]
    memory_mb: int


Spawn = Callable[[Callable[[], "subprocess.Popen[bytes]"]], "subprocess.Popen[bytes]"]


class Environment:
    """``spawn`` starts the process in a thread that lives as long as this process: Linux ends a child that asked for it
    when the *thread* it was started from ends. ``folder`` is its /tmp, ``log`` gets all that it prints."""

    def __init__(self, sandbox: Sandbox, spawn: Spawn, folder: Path, log: Path) -> None:
        self.sandbox = sandbox
        self.log = log
        self._api = RuntimeApi()
        self._began = time.monotonic()
        self._init_s: float | None = None
        folder.mkdir(parents=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        self._process = spawn(lambda: self._start(folder))
        self.pid = self._process.pid
        self._over = threading.Event()
        self._ended = threading.Event()
        self._gone = threading.Event()
        threading.Thread(target=self._wait, name=f"lambda-{self.pid}", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it can be used again. A process that was killed has not ended yet, but nothing will come of it."""
        return not self._over.is_set() and not _has_ended(self.pid)

    def invoke(self, body: bytes, context: LambdaContext, timeout_s: float) -> Outcome:
        """Run one invocation; at most one at a time."""
        request = context.aws_request_id
        self._write(f"START RequestId: {request} Version: $LATEST")
        began = time.monotonic()
        outcome = self._initialized(request)
        if outcome is None:
            began = time.monotonic()
            deadline_ms = int((time.time() + timeout_s) * 1000)
            self._api.send(Event(request, body, context.invoked_function_arn, deadline_ms))
            outcome = self._answer(request, began + timeout_s, timeout_s)
        self._report(request, time.monotonic() - began)
        return outcome

    def over_limit(self) -> bool:
        return peak_bytes(self.pid) > self.sandbox.memory_mb * _MB

    def kill(self) -> None:
        """End the process and whatever it has started."""
        self._over.set()
        if self._ended.is_set():  # all was ended then, and the number may be another process's by now
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self._gone.wait()

    def _start(self, folder: Path) -> subprocess.Popen[bytes]:
        sandbox = self.sandbox
        layers = os.pathsep.join(map(str, sandbox.layers))
        places = [str(folder), str(sandbox.bundle), layers, str(sandbox.runtime)]
        script = str(Path(lambda_bootstrap.__file__).resolve())
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sandbox.python, "-I", "-S", "-B", script, sandbox.handler, str(os.getpid()), *places],
                cwd=sandbox.bundle,
                env={**sandbox.variables, "AWS_LAMBDA_RUNTIME_API": self._api.address, "TMPDIR": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self) -> None:
        os.waitid(
            os.P_PID, self.pid, os.WEXITED | os.WNOWAIT
        )  # it has ended and keeps its number until it is asked how
        self.kill()  # what it has started and left behind
        self._ended.set()
        code = self._process.wait()
        self._gone.set()
        self._api.news.put(Exited(code))
        self._api.close()

    def _initialized(self, request: str) -> Outcome | None:
        """None when the runtime is ready, or still not after the time it has for that, which then counts."""
        if self._init_s is not None:
            return None
        try:
            news = self._api.news.get(timeout=INIT_LIMIT_S)
        except queue.Empty:
            return None
        self._init_s = time.monotonic() - self._began
        match news:
            case Ready():
                return None
            case InitFailed(body):
                self._over.set()
                return Outcome(body, failed=True)
            case Exited(code):
                return exited(request, code)
            case Answered():
                raise RuntimeError("an answer came before any event")

    def _answer(self, request: str, deadline: float, timeout_s: float) -> Outcome:
        while True:
            try:
                news = self._api.news.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self.kill()
                self._write(f"{_now()} {request} Task timed out after {timeout_s:.2f} seconds")
                text = f"RequestId: {request} Error: Task timed out after {timeout_s:.2f} seconds"
                return _fault("Sandbox.Timedout", text)
            match news:
                case Ready():  # late
                    self._init_s = time.monotonic() - self._began
                case Exited(code):
                    return exited(request, code)
                case InitFailed(body):
                    self._over.set()
                    return Outcome(body, failed=True)
                case Answered(body, failed):
                    if self.over_limit():  # between two looks; Lambda would have killed it
                        self.kill()
                        return exited(request, -signal.SIGKILL)
                    return Outcome(body, failed)

    def _report(self, request: str, seconds: float) -> None:
        used = math.ceil(peak_bytes(self.pid) / _MB) if self.alive else 0
        self._write(f"END RequestId: {request}")
        facts = [
            f"REPORT RequestId: {request}",
            f"Duration: {seconds * 1000:.2f} ms",
            f"Billed Duration: {math.ceil(seconds * 1000)} ms",
            f"Memory Size: {self.sandbox.memory_mb} MB",
            *([f"Max Memory Used: {used} MB"] if used else []),
        ]
        self._write("\t".join(facts))

    def _write(self, text: str) -> None:
        with self.log.open("ab", buffering=0) as log:
            log.write(f"{text}\n".encode())


def exited(request: str, code: int) -> Outcome:
    """What Lambda answers when the process has ended with ``code`` (as ``subprocess`` gives it)."""
    if code < 0:
        why = f"with error: signal: {_SIGNALS.get(-code, f'signal {-code}')}"
    else:
        why = f"with error: exit status {code}" if code else "without providing a reason"
    return _fault("Runtime.ExitError", f"RequestId: {request} Error: Runtime exited {why}")


def _has_ended(pid: int) -> bool:
    """Whether a process has exited, also when nobody has heard of it yet. Its parent hears only when its last thread is
    gone, which takes a while where there are many."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return True


def _fault(kind: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + "Z"
