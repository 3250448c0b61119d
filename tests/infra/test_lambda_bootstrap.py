"""The first code of an execution environment: its paths, its file system, its end."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from solidstate.infra.lambda_bootstrap import read_only
from tests.infra.functions import is_gone, until


def refused(hook_arguments: tuple[object, ...], event: str = "open") -> bool:
    """Whether a hook for the root /task with /scratch writable refuses."""
    try:
        read_only("/task", ("/scratch", "/dev"))(event, hook_arguments)
    except OSError as error:
        return error.errno == errno.EROFS
    return False


@pytest.mark.parametrize(
    ("path", "flags", "said_no"),
    [
        ("/task/a", os.O_RDONLY, False),
        ("/task/a", os.O_WRONLY | os.O_CREAT, True),
        ("/task/a", os.O_RDWR, True),
        (b"/task/a", os.O_WRONLY, True),
        ("/home/a", os.O_WRONLY, True),
        ("/scratch/a", os.O_WRONLY, False),
        ("/scratch", os.O_WRONLY, False),
        ("/scratch/../task/a", os.O_WRONLY, True),
        ("/scratchfoo/a", os.O_WRONLY, True),
        ("/dev/null", os.O_WRONLY, False),
        (7, os.O_WRONLY, False),
    ],
)
def test_only_what_is_writable_can_be_written(path: object, flags: int, said_no: bool) -> None:
    """As on Lambda; what is open already can be written to."""
    assert refused((path, None, flags)) is said_no


@pytest.mark.parametrize(
    ("event", "arguments", "said_no"),
    [
        ("os.mkdir", ("/task/a", 0o777, -1), True),
        ("os.mkdir", ("/scratch/a", 0o777, -1), False),
        ("os.remove", ("/task/a", -1), True),
        ("os.rename", ("/scratch/a", "/task/a", -1, -1), True),
        ("os.rename", ("/scratch/a", "/scratch/b", -1, -1), False),
        ("os.symlink", ("/task/a", "/scratch/a", -1), False),
        ("os.listdir", ("/task",), False),
    ],
)
def test_other_changes_are_refused_too(event: str, arguments: tuple[object, ...], said_no: bool) -> None:
    """By the paths they change."""
    assert refused(arguments, event) is said_no


def test_a_task_root_below_a_writable_folder_is_read_only_too() -> None:
    """Local bundles may lie there."""
    with pytest.raises(OSError, match="Read-only file system"):
        read_only("/scratch/task", ("/scratch",))("open", ("/scratch/task/a", None, os.O_WRONLY))


@pytest.mark.skipif(sys.platform != "linux", reason="prctl")
def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Even when that is killed and can clean up nothing."""
    runtime = tmp_path / "runtime" / "awslambdaric"
    runtime.mkdir(parents=True)
    (runtime / "__init__.py").touch()
    (runtime / "__main__.py").write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    script = textwrap.dedent(
        f"""
        import os, subprocess, sys
        from solidstate.infra import lambda_bootstrap
        command = [sys.executable, "-I", "-S", "-B", os.path.realpath(lambda_bootstrap.__file__)]
        command += ["m.h", str(os.getpid())]
        command += [{str(tmp_path)!r}, {str(tmp_path)!r}, "", {str(tmp_path / "runtime")!r}]
        child = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE)
        child.stdout.readline()
        print(child.pid, flush=True)
        sys.stdin.read()
        """
    )
    root = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not is_gone(pid)
    parent.kill()
    parent.communicate()
    assert until(lambda: is_gone(pid))
