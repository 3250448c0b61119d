"""Exceptions as data: type, message, the user's own line, and bounds on everything."""

from __future__ import annotations

import errno
import json
import sys
import textwrap
import types
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.errors import SolidstateError
from solidstate.events import ErrorInfo, Failure, RetryRequested
from solidstate.handler import outcome
from solidstate.handler.outcome import MAX_CAUSE, MAX_MESSAGE, MAX_TRACEBACK, StepFailed, classified, error_info


def caught(fn: Any, *args: Any) -> BaseException:
    """What ``fn`` raises, with its traceback."""
    try:
        fn(*args)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def module_from(source: str, name: str, filename: str) -> types.ModuleType:
    """A module of that source, as if it had come from that file."""
    module = types.ModuleType(name)
    exec(compile(textwrap.dedent(source), filename, "exec"), module.__dict__)  # noqa: S102 - the test's own text
    return module


def test_the_place_is_the_innermost_line_of_the_users_code() -> None:
    """Frames of libraries below it do not count."""
    place = error_info(caught(lambda: json.loads("{"))).place
    assert place is not None
    assert (Path(place.file).name, place.code) == (
        "test_outcome.py",
        'place = error_info(caught(lambda: json.loads("{"))).place',
    )


def test_without_a_line_of_the_users_a_librarys_is_named() -> None:
    """A solid that is itself a function of an installed package."""
    library = module_from("def fn():\n    return 1 / 0", "numbers_lib", "/x/lib/site-packages/numbers_lib.py")
    error = caught(library.fn)
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # without this test's own frame
    place = error_info(error).place
    assert place is not None
    assert place.file == "/x/lib/site-packages/numbers_lib.py"


@pytest.mark.parametrize(
    "library",
    [
        "/venv/lib/python3.12/site-packages/lib.py",
        r"C:\venv\Lib\site-packages\lib.py",
        "/usr/lib/python3/dist-packages/lib.py",
    ],
)
@pytest.mark.parametrize("own", ["/home/me/flows/solids.py", r"C:\flows\solids.py", "/opt/bundle.zip/flows/solids.py"])
def test_files_of_any_system_are_told_apart(own: str, library: str) -> None:
    """Separators of either kind, and paths into a zip."""
    inner = module_from("def fail():\n    raise OSError('no')", "lib", library)
    outer = module_from("def solid(fail):\n    fail()", "flows.solids", own)
    place = error_info(caught(outer.solid, inner.fail)).place
    assert place is not None
    assert (place.file, place.line, place.function) == (own, 2, "solid")


def test_code_in_a_zip_shows_its_source_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader of the zip is asked for it."""
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        archive.writestr("zipped_solids.py", "def solid():\n    raise OSError('zipped')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "bundle.zip"))
    import zipped_solids  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]  # made above

    place = error_info(caught(zipped_solids.solid)).place
    assert place is not None
    assert (place.line, place.code) == (2, "raise OSError('zipped')")
    del sys.modules["zipped_solids"]


def test_in_a_bundle_packages_lie_beside_the_users_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Lambda no folder tells them apart; the package of the solid itself does."""
    monkeypatch.setenv("LAMBDA_TASK_ROOT", "/var/task")
    library = module_from("def fail():\n    raise OSError('no')", "pandas.core", "/var/task/pandas/core.py")
    solids = module_from("def solid(fail):\n    fail()", "flows.solids", "/var/task/flows/solids.py")
    error = caught(solids.solid, library.fail)
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next
    place = error_info(error).place
    assert place is not None
    assert place.file == "/var/task/flows/solids.py"


def test_our_own_frames_are_never_the_place() -> None:
    """They are known by module, wherever the files of the installation are."""
    ours = module_from("def call(fn):\n    return fn()", "solidstate.handler.somewhere", "/anywhere/else.py")
    solids = module_from("def solid():\n    raise OSError('no')", "flows", "/home/me/flows.py")
    error = caught(ours.call, solids.solid)
    info = error_info(error)
    assert info.place is not None
    assert info.place.file == "/home/me/flows.py"


class Mute(Exception):
    """Cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def fail_mutely() -> None:
    """Raise it."""
    raise Mute


def recurse(depth: int) -> int:
    """Never end."""
    return recurse(depth + 1)


def test_a_message_that_cannot_be_shown() -> None:
    """The error is told all the same."""
    info = error_info(caught(fail_mutely))
    assert (info.type, info.message) == ("Mute", "(its message cannot be shown)")
    assert info.place is not None


def test_a_deep_recursion_is_told_in_bounds() -> None:
    """Python's own shortening and ours."""
    info = error_info(caught(recurse, 0))
    assert (info.type, len(info.traceback) < MAX_TRACEBACK + 100) == ("RecursionError", True)


def test_a_huge_message_is_cut() -> None:
    """In the message, in the traceback and in the cause."""
    info = error_info(ValueError("x" * 5_000_000))
    assert info.message == "x" * (MAX_MESSAGE - 3) + "..."
    assert len(info.traceback) < MAX_TRACEBACK + 100
    assert len(str(StepFailed(info, "load"))) < MAX_MESSAGE + 100


def test_a_message_that_is_no_text_is_escaped() -> None:
    """File names that are not UTF-8 come as lone surrogates, which no JSON document can hold."""
    info = error_info(FileNotFoundError(b"caf\xe9".decode("utf-8", "surrogateescape")))
    assert info.message == "caf\\udce9"
    info.traceback.encode()


def test_an_error_of_ours_keeps_its_hint_and_names_the_users_line() -> None:
    """The hint goes into the cause too."""
    solids = module_from("def solid(error):\n    raise error", "flows", "/home/me/flows.py")
    error = caught(solids.solid, SolidstateError("`x` is not there.", hint="write `y`"))
    failed = classified(error, "load")
    assert failed.error.place is not None
    assert str(failed) == "`load`: SolidstateError: `x` is not there. (/home/me/flows.py:2, ``) Fix: write `y`."


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError("x"), "StepFailed"),
        (SystemExit(2), "StepFailed"),
        (Failure("bad data", metadata={"rows": 0}), "StepRefused"),
        (RetryRequested("busy", metadata={"rows": 0}), "RetryRequested"),
        (SolidstateError("`x` is wrong."), "StepRefused"),
    ],
)
def test_what_each_error_means_to_the_state_machine(error: BaseException, name: str) -> None:
    """By class name, which is the error name; Failure and RetryRequested keep their facts."""
    failed = classified(error, "load")
    assert type(failed).__name__ == name
    assert failed.error.metadata == ({"rows": 0} if isinstance(error, (Failure, RetryRequested)) else {})


@given(message=st.text(max_size=300), repeat=st.integers(1, 400))
def test_a_cause_always_fits(message: str, repeat: int) -> None:
    """However long and of whatever characters: as JSON it stays below what Step Functions keeps."""
    failed = StepFailed(ErrorInfo(type="E", message=message * repeat), "load")
    assert len(json.dumps(str(failed))) <= MAX_CAUSE
    assert outcome.MAX_CAUSE < 32_768 - 8_000


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "remove what is of no use any more from /tmp, which a function keeps from one invocation to the next, or "
            "raise `Compute(ephemeral_mb=...)`",
        ),
        (MemoryError(), "raise `Compute(memory_mb=...)`, or work in smaller pieces"),
        (OSError(errno.EACCES, "Permission denied"), ""),
        (ValueError("no"), ""),
    ],
)
def test_errors_about_what_a_function_has_show_a_way_out(error: BaseException, hint: str) -> None:
    """Others are about the code, of which nothing is known here."""
    assert error_info(error).hint == hint
