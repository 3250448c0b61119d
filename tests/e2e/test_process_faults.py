"""Everything that can happen to the process of a step, on the built bundle in processes of AWS's own runtime client:
the run ends, each step has a reason and a way out in the words of the command line, and no process is left.
"""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.events import StepFailure, decode_events, kind_of
from solidstate.infra.bundle_build import build_bundle
from solidstate.infra.bundle_recipe import recipe_for
from solidstate.infra.bundle_settings import Choices, local_runtime
from tests.cli.project import Project, Ran
from tests.infra.bundles import offline_packages
from tests.infra.bundles import project as written
from tests.infra.functions import is_gone, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux"),
]

SOURCE = """
    import os
    import signal
    import threading
    import time

    from solidstate import Compute, DynamicOut, DynamicOutput, Materialization, pipeline, solid

    if os.environ.get("LAMBDA_TASK_ROOT") and os.path.exists(os.path.dirname(__file__) + "/../broken"):
        raise ImportError("libgomp.so.1: cannot open shared object file: No such file or directory")


    @solid(compute=Compute(timeout_s=3))
    def endless(context) -> int:
        context.log.info("still here")
        time.sleep(60)


    @solid(compute=Compute(timeout_s=3), outs={"result": DynamicOut(int)})
    def stuck(context):
        yield DynamicOutput(1, "k1")
        context.emit(Materialization("first part"))
        threading.Event().wait()
        yield DynamicOutput(2, "k2")


    @solid(compute=Compute(memory_mb=256))
    def huge() -> bytes:
        return b"x" * (2 << 30)


    @solid
    def gone() -> int:
        os._exit(0)


    @solid
    def crashed() -> int:
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(5)


    @solid
    def parent() -> int:
        os.posix_spawn("/bin/sleep", ["sleep", "61"], {})
        os._exit(3)


    @solid
    def full() -> int:
        with open("/dev/full", "w") as file:  # whatever is written there finds no space
            file.write("x" * 100_000)
        return 1


    @solid
    def threads(context) -> int:
        def on_and_on():
            while True:
                time.sleep(0.05)
                context.log.info("too late")

        threading.Thread(target=on_and_on, daemon=True).start()
        threading.Thread(target=on_and_on).start()
        return 1


    @solid
    def later(n: int) -> int:
        time.sleep(0.5)
        return n + 1


    @pipeline
    def faults():
        endless()
        stuck()
        huge()
        gone()
        crashed()
        parent()
        full()
        later(threads())
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once, from packages of this environment."""
    folder = tmp_path_factory.mktemp("faults")
    target = written(folder, SOURCE, "fault_flows.py")
    with offline_packages(folder / "packages"):
        return build_bundle(recipe_for([target], Choices(runtime=local_runtime())), folder / "lambda").folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, capsys)


@pytest.fixture(autouse=True)
def _no_process_left() -> Iterator[None]:
    """Of the function's, of what solids have started."""
    yield
    assert until(lambda: orphans() == [])


def orphans() -> list[str]:
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        ours = any(b"lambda_bootstrap" in word for word in words) and str(os.getpid()).encode() in words
        if (ours or words[:2] == [b"sleep", b"61"]) and not is_gone(int(path.parent.name)):
            found.append(b" ".join(words).decode())
    return found


def run(project: Project, bundle: Path) -> Ran:
    target = f"{bundle.parent / 'fault_flows.py'}:faults"
    return project.run("run", target, "--lambda", "runtime", "--bundle", str(bundle), "--run-id", "r")


FAILURES = {
    "endless": """
        failed: endless
          Sandbox.Timedout: Task timed out after 3.00 seconds
          fix: raise `Compute(timeout_s=...)` of solid `endless` (now 3), or split its work
        """,
    "stuck": """
        failed: stuck
          Sandbox.Timedout: Task timed out after 3.00 seconds
          fix: raise `Compute(timeout_s=...)` of solid `stuck` (now 3), or split its work
        """,
    "huge": """
        failed: huge
          Runtime.ExitError: the function was killed, which is how Lambda ends one that runs out of memory \
(Runtime exited with error: signal: killed)
          fix: raise `Compute(memory_mb=...)` of solid `huge` (now 256), or work in smaller pieces
        """,
    "gone": """
        failed: gone
          Runtime.ExitError: the function's process ended before it answered (Runtime exited without providing a reason)
          fix: look for `sys.exit`, `os._exit` or a crash of a native library in the code of solid `gone`
        """,
    "crashed": """
        failed: crashed
          Runtime.ExitError: the function's process ended before it answered \
(Runtime exited with error: signal: segmentation fault)
          fix: look for `sys.exit`, `os._exit` or a crash of a native library in the code of solid `crashed`
        """,
    "parent": """
        failed: parent
          Runtime.ExitError: the function's process ended before it answered (Runtime exited with error: exit status 3)
          fix: look for `sys.exit`, `os._exit` or a crash of a native library in the code of solid `parent`
        """,
    "full": """
        failed: full
          OSError: [Errno 28] No space left on device
          at: BUNDLE/fault_flows.py:LINE in full
              file.write("x" * 100_000)
          fix: remove what is of no use any more from /tmp, which a function keeps from one invocation to \
the next, or raise `Compute(ephemeral_mb=...)`
        """,
}  # fmt: skip


def test_every_fault_has_its_reason_and_its_way_out(project: Project, bundle: Path) -> None:
    """In the summary of the run, in `show` afterwards, and as STEP_FAILURE in the events; what steps had recorded
    before they were killed is there too, and what ran beside them is not touched."""
    ran = run(project, bundle)
    assert ran.code == 1
    for text in (ran.out, project.run("show", "r").out):
        told = re.sub(r"py:\d+ in", "py:LINE in", text.replace(str(bundle), "BUNDLE"))
        for failure in FAILURES.values():
            assert textwrap.dedent(failure).lstrip("\n") in told
        assert re.search(r"failed in [\d.]+ s +7 failed, 2 ok\n", text)
    found = decode_events(project.run("events", "r", "--json").out.encode())
    ends = {event.step: event.error.type for event in found if isinstance(event, StepFailure)}
    assert ends == {
        **dict.fromkeys(("endless", "stuck"), "Sandbox.Timedout"),
        **dict.fromkeys(("huge", "gone", "crashed", "parent"), "Runtime.ExitError"),
        "full": "OSError",
    }
    kinds = {step: [kind_of(event) for event in found if event.step == step] for step in (*FAILURES, "threads")}
    assert kinds["endless"] == ["step_start", "log", "engine", "step_failure"]
    assert kinds["stuck"] == ["step_start", "step_output", "step_materialization", "engine", "step_failure"]
    assert kinds["gone"] == ["step_start", "engine", "step_failure"]
    assert kinds["threads"] == ["step_start", "step_output", "step_success"]
    assert project.run("reconcile") == (0, "", "every run that has ended has its end on record\n")


def test_a_module_that_cannot_be_imported_there(project: Project, bundle: Path) -> None:
    """The very first state says so: nothing runs, and nothing is on record."""
    broken = bundle.parent / "broken"
    broken.touch()
    try:
        ran = run(project, bundle)
    finally:
        broken.unlink()
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.replace(str(bundle), "BUNDLE") == (
        "error: The execution ended before the run began: TargetError: `fault_flows:faults` cannot be imported: "
        "ImportError: libgomp.so.1: cannot open shared object file: No such file or directory.\n"
        '  fix: correct this line: `raise ImportError("libgomp.so.1: cannot open shared object file: No such file or '
        'directory")`\n'
    )
    assert project.run("runs", "--json").json() == []
