"""One execution environment of AWS's runtime client, held to Lambda's limits and heard with Lambda's words."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from solidstate.infra.lambda_environment import Environment, exited
from tests.infra.functions import context, environment, is_gone, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux")


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Environment]:
    """An environment with 512 MB."""
    made = environment(tmp_path)
    yield made
    made.close()


def invoke(env: Environment, do: str, timeout_s: float = 30, **event: Any) -> tuple[bool, Any]:
    """(failed, document)."""
    outcome = env.invoke(json.dumps({"do": do, **event}).encode(), context(), timeout_s)
    return outcome.failed, json.loads(outcome.payload)


def test_a_handler_answers_and_is_reused(env: Environment) -> None:
    """Its module is loaded once; event and context are as Lambda gives them."""
    first, second = invoke(env, "facts", 30, x=[1, "é"])[1], invoke(env, "facts", 7)[1]
    assert (first["count"], second["count"], first["pid"]) == (1, 2, second["pid"])
    assert first["request"] != second["request"]
    assert first["event"] == {"do": "facts", "x": [1, "é"]}
    assert 29_000 < first["left"] <= 30_000
    assert 6_000 < second["left"] <= 7_000
    assert (first["memory"], first["arn"]) == ("512", "arn:aws:lambda:us-east-1:123456789012:function:f")


def test_it_sees_its_code_and_the_runtime_alone(env: Environment, tmp_path: Path) -> None:
    """No package of this environment, no variable of this process, a temporary folder of its own."""
    _, facts = invoke(env, "facts")
    assert facts["path"][0] == facts["cwd"] == str(tmp_path / "code")
    assert facts["path"][-1] == str(tmp_path / "runtime")
    assert [path for path in facts["path"] if "site-packages" in path] == []
    assert facts["temporary"] == str(tmp_path / "tmp")
    assert set(facts["environment"]) - {"LC_CTYPE"} == {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_RUNTIME_API",
        "GREETING",
        "PATH",
        "TMPDIR",
        "_X_AMZN_TRACE_ID",
    }


def test_an_exception_is_an_answer(env: Environment) -> None:
    """With class, message and stack; the environment lives on."""
    failed, document = invoke(env, "fail")
    assert (failed, document["errorType"], document["errorMessage"]) == (True, "OutOfStock", "no more bolts")
    assert invoke(env, "facts")[1]["count"] == 2


def test_an_answer_that_is_no_json_is_an_error(env: Environment) -> None:
    """By the runtime client's own name."""
    assert invoke(env, "unreadable")[1]["errorType"] == "Runtime.MarshalError"


@pytest.mark.parametrize(
    ("do", "event", "why"),
    [
        ("leave", {"status": 3}, "with error: exit status 3"),
        ("leave", {"status": 0}, "without providing a reason"),
        ("die", {"signal": int(signal.SIGKILL)}, "with error: signal: killed"),
        ("die", {"signal": int(signal.SIGSEGV)}, "with error: signal: segmentation fault"),
    ],
)
def test_a_process_that_ends_fails_its_invocation(env: Environment, do: str, event: dict[str, Any], why: str) -> None:
    """And is not used again."""
    outcome = env.invoke(json.dumps({"do": do, **event}).encode(), asked := context(), 30)
    assert (outcome.failed, json.loads(outcome.payload)) == (
        True,
        {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {asked.aws_request_id} Error: Runtime exited {why}",
        },
    )
    assert until(lambda: not env.alive)


def test_signals_have_go_s_names() -> None:
    """Those it has no name for have numbers."""
    said = json.loads(exited("r", -40).payload)["errorMessage"]
    assert said == "RequestId: r Error: Runtime exited with error: signal: signal 40"


def test_a_time_limit_kills(env: Environment) -> None:
    """On time, and whatever the code does."""
    invoke(env, "facts")
    began = time.monotonic()
    failed, document = invoke(env, "sleep", 0.5, seconds=30)
    assert 0.45 < time.monotonic() - began < 2
    assert failed
    assert document["errorType"] == "Sandbox.Timedout"
    assert re.fullmatch(r"RequestId: \S{36} Error: Task timed out after 0\.50 seconds", document["errorMessage"])
    assert until(lambda: is_gone(env.pid))


def test_starting_takes_nothing_of_the_time_limit(tmp_path: Path) -> None:
    """Lambda's init phase has a time of its own."""
    slow = "import time\ntime.sleep(1)\ndef handler(event, context): return context.get_remaining_time_in_millis()\n"
    env = environment(tmp_path, source=slow)
    failed, left = invoke(env, "x", 0.8)
    env.close()
    assert not failed
    assert left > 300


def test_memory_beyond_the_limit_kills(tmp_path: Path) -> None:
    """Also when it was freed before anybody looked."""
    env = environment(tmp_path, memory_mb=128)
    assert invoke(env, "grow", mb=20) == (False, 20 << 20)
    failed, document = invoke(env, "grow", mb=200)
    env.close()
    assert (failed, document["errorType"]) == (True, "Runtime.ExitError")
    assert document["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")


@pytest.mark.parametrize(
    ("handler", "source", "kind", "said"),
    [
        ("m.handler", "import nowhere", "Runtime.ImportModuleError", "Unable to import module 'm': No module named"),
        ("m.handler", "import msgspec", "Runtime.ImportModuleError", "Unable to import module 'm': No module named"),
        ("m.handler", "def (", "Runtime.UserCodeSyntaxError", "Syntax error in module 'm': "),
        ("m.handler", "1 / 0", "ZeroDivisionError", "division by zero"),
        ("m.other", "handler = print", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'm'"),
        ("gone.x", "", "Runtime.ImportModuleError", "Unable to import module 'gone': No module named 'gone'"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_told(
    tmp_path: Path, handler: str, source: str, kind: str, said: str
) -> None:
    """A package that is installed here, but not shipped, among the reasons."""
    env = environment(tmp_path, handler=handler, source=source)
    failed, document = invoke(env, "facts")
    env.close()
    assert (failed, document["errorType"]) == (True, kind)
    assert document["errorMessage"].startswith(said)


def test_only_tmp_can_be_written(env: Environment, tmp_path: Path) -> None:
    """The same error as on Lambda, where the code folder is read-only."""
    assert invoke(env, "write", path="out.txt")[1] == [
        "OSError",
        30,
        f"[Errno 30] Read-only file system: '{tmp_path}/code/out.txt'",
    ]
    assert invoke(env, "write", path=str(tmp_path / "tmp" / "out.txt"))[1] == "written"
    assert [path.name for path in (tmp_path / "code").iterdir()] == ["m.py"]


def test_what_it_prints_is_kept(env: Environment, tmp_path: Path) -> None:
    """Between the lines that Lambda writes around an invocation."""
    invoke(env, "speak")
    env.close()
    request = r"RequestId: \S{36}"
    assert re.fullmatch(
        rf"START {request} Version: \$LATEST\nto stdout\nto stderr\nEND {request}\n"
        rf"REPORT {request}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\t"
        r"Max Memory Used: \d+ MB\n",
        (tmp_path / "log.txt").read_text(),
    )


def test_closing_ends_everything_it_has_started(env: Environment) -> None:
    """Children too."""
    _, child = invoke(env, "child")
    assert not is_gone(child)
    env.close()
    assert is_gone(env.pid)
    assert until(lambda: is_gone(child))


def test_a_process_that_has_ended_is_not_killed_again(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may have been given to another by then."""
    invoke(env, "facts")
    env.close()
    killed: list[int] = []
    monkeypatch.setattr("os.killpg", lambda pid, _: killed.append(pid))
    env.kill()
    env.close()
    assert killed == []
