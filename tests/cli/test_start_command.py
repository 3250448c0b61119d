"""``start``: a deployed pipeline is started, followed and told of, with the exit codes of ``run``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.infra.following import Follower
from tests.cli.letters import idle, letters
from tests.cli.project import Project, Ran
from tests.stacks import Stack, deployed, timed_out

pytestmark = pytest.mark.slow  # each follows runs of a deployed stack

TARGET = f"{Path(__file__).with_name('letters.py')}:letters"
WORD = ("--set", "solids.read.config.word=abc")
ON = ("--stack", "letters-dev", "--pipeline", "letters")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed("letters-dev", [letters, idle]) as found:
        yield found


@pytest.fixture(autouse=True)
def _no_faults(stack: Stack) -> Iterator[None]:
    yield
    stack.invoker.reset()


def steady(ran: Ran) -> list[str]:
    """What was printed on stdout, without what differs each time."""
    text = re.sub(r"[\d.]+ (ms|s)\b", "TIME", ran.out)
    return [re.sub(r" {2,}", " ", line).strip() for line in text.splitlines() if line.strip()]


def test_a_run_is_started_and_followed(project: Project, stack: Stack) -> None:
    """Progress on stderr, the summary on stdout, where to look next; 0 when it succeeded."""
    ran = project.run("start", *ON, *WORD, "--name", "good", "--tag", "owner=me")
    assert ran.code == 0
    first, *rest = re.sub(r"[\d.]+ (ms|s)\b", "TIME", ran.err).splitlines()
    assert first == "started run good of pipeline letters"
    assert [re.sub(r" {2,}", " ", line) for line in rest] == ["ok read TIME 7 B", "ok count TIME 1 B"]
    assert steady(ran) == [
        "letters run good mode default engine aws",
        "step time in out",
        "ok read TIME 7 B",
        "ok count TIME 7 B 1 B",
        "success in TIME 2 ok",
        "look closer: solidstate show good --stack letters-dev",
    ]
    assert project.run("show", "good", "--stack", "letters-dev", "--json").json()["tags"] == {"owner": "me"}


def test_a_failed_run_is_told_with_its_reason(project: Project, stack: Stack) -> None:
    """Also where the function was killed; 1 as exit code."""
    stack.invoker.fail("count", timed_out())
    ran = project.run("start", *ON, *WORD)
    assert ran.code == 1
    assert "failed: count\n  Sandbox.Timedout: Task timed out after 3.00 seconds\n" in ran.out
    assert "  fix: raise `Compute(timeout_s=...)` of solid `count` (now 3), or split its work\n" in ran.out
    assert re.search(r"^failed +count .* Sandbox\.Timedout: Task timed out after 3\.00 seconds$", ran.err, re.MULTILINE)


def test_json_is_the_summary(project: Project, stack: Stack) -> None:
    """As `run --json` and `show --json` have it."""
    ran = project.run("start", *ON, *WORD, "--name", "as-json", "--json")
    document = ran.json()
    assert (ran.code, document["run"], document["status"], document["engine"]) == (0, "as-json", "success", "aws")
    assert document == {
        key: value
        for key, value in project.run("show", "as-json", "--stack", "letters-dev", "--json").json().items()
        if key != "request"
    }


def test_without_following_it_returns_at_once(project: Project, stack: Stack) -> None:
    """With the run, its execution, and how to look at it."""
    stack.invoker.hold("count")
    ran = project.run("start", "--machine", stack.machines["letters"], *WORD, "--name", "quick", "--no-follow")
    arn = "arn:aws:states:us-east-1:123456789012:execution:letters-dev-letters:quick"
    assert ran == (
        0,
        "started run quick of pipeline letters\n"
        f"execution: {arn}\n"
        f"look closer: solidstate show quick --machine {stack.machines['letters']}\n",
        "",
    )
    ran = project.run("start", *ON, *WORD, "--name", "quick-json", "--no-follow", "--json")
    assert ran.json() == {
        "run": "quick-json",
        "pipeline": "letters",
        "execution": arn.replace(":quick", ":quick-json"),
        "machine": stack.machines["letters"],
    }


def test_samconfig_is_the_default(project: Project, stack: Stack) -> None:
    """The stack that `sam deploy` made in this folder; another environment of it by name."""
    project.write(
        "samconfig.toml",
        """
        [default.deploy.parameters]
        stack_name = "letters-dev"
        region = "us-east-1"

        [prod.deploy.parameters]
        stack_name = "letters-prod"
        """,
    )
    ran = project.run("start", "--pipeline", "idle", "--name", "by-default")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "look closer: solidstate show by-default --deployed")
    ran = project.run("start", "--config-env", "prod")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: There is no stack `letters-prod`: ")


def test_without_a_place_it_says_how_to_name_one(project: Project) -> None:
    """No stack, no machine, no samconfig.toml."""
    ran = project.run("start")
    assert ran == (
        2,
        "",
        "error: There is no `samconfig.toml` in the current folder, so it is not known which stack is meant.\n"
        "  at: PROJECT\n"
        "  fix: name it with `--stack NAME` or `--machine ARN`, or go to the folder that `sam deploy` is run in\n",
    )


def test_a_wrong_request_is_found_out_here_when_there_is_a_target(project: Project, stack: Stack) -> None:
    """Before anything is started; without one the gate says the same, and the exit code is the same."""
    said = (
        "error: Run request for pipeline `letters`: 2 errors\n"
        "  1. Unknown field 'tag'.\n    at: tag\n    fix: did you mean `tags`?\n"
        "  2. Expected `str`, got 5 of type `int`.\n    at: solids.read.config.word\n    fix: quote it: `'5'`\n"
    )
    wrong = ("--set", "solids.read.config.word=5", "--set", "tag={}")
    before = len(
        stack.aws.client("stepfunctions").list_executions(stateMachineArn=stack.machines["letters"])["executions"]
    )
    assert project.run("start", TARGET, "--stack", "not-asked", *wrong) == (2, "", said)
    after = stack.aws.client("stepfunctions").list_executions(stateMachineArn=stack.machines["letters"])["executions"]
    assert len(after) == before
    ran = project.run("start", *ON, *wrong, "--name", "wrong")
    assert (ran.code, ran.out, ran.err) == (2, "", f"started run wrong of pipeline letters\n{said}")
    ran = project.run("start", *ON, *wrong, "--json")
    assert (ran.code, ran.json()["error"]["exit_code"]) == (2, 2)


def test_a_target_chooses_its_pipeline(project: Project, stack: Stack) -> None:
    """And a plan that differs from the deployed one is remarked upon."""
    assert project.run("start", TARGET, "--stack", "letters-dev", *WORD).code == 0
    project.write(
        "other.py",
        """
        from solidstate import pipeline, solid

        @solid
        def another() -> int:
            return 1

        @pipeline
        def idle():
            another()
        """,
    )
    ran = project.run("start", "other.py", "--stack", "letters-dev")
    assert ran.code == 0
    assert re.match(
        r"note: what is deployed follows another plan \([0-9a-f]{16}\) than the code here \([0-9a-f]{16}\); it was "
        r"checked against the code here, and is judged again there\n",
        ran.err,
    )


def test_a_name_is_checked_and_used_once(project: Project, stack: Stack) -> None:
    """Names that Step Functions would not take are refused before it is asked."""
    ran = project.run("start", "--stack", "not-asked", "--name", "a b")
    assert ran == (
        2,
        "",
        "error: `a b` cannot be the name of an execution: it holds ' '.\n"
        "  fix: use letters, digits, `_`, `-` and `.`, at most 80 characters\n",
    )
    assert project.run("start", *ON, *WORD, "--name", "once").code == 0
    ran = project.run("start", *ON, *WORD, "--name", "once")
    assert (ran.code, ran.err) == (
        2,
        "error: There is already an execution `once` of the state machine `letters-dev-letters`.\n"
        "  fix: choose another `--name`, or leave it out\n",
    )


def test_a_name_with_any_letters_has_a_run(project: Project, stack: Stack) -> None:
    """The run's id is told, and both lead to it."""
    ran = project.run("start", *ON, *WORD, "--name", "année", "--json")
    run = ran.json()["run"]
    assert re.fullmatch(r"x-[0-9a-f]{24}", run)
    shown = project.run("show", "année", "--stack", "letters-dev", "--json")
    assert (shown.code, shown.json()["run"]) == (0, run)


def test_a_request_that_is_too_large_is_not_sent(project: Project, stack: Stack) -> None:
    """Step Functions would not take it."""
    project.write("words.json", '{"solids": {"read": {"config": {"word": "' + "x" * 262_090 + '"}}}}')
    ran = project.run("start", *ON, "--config", "words.json", "--tag", "owner=me")
    assert (ran.code, ran.err) == (
        2,
        "error: The run request has 262,154 bytes; Step Functions takes 262,144 as an execution's input.\n"
        "  fix: put large values in S3 and pass their address\n",
    )


def test_a_run_is_started_again_from_its_failure(project: Project, stack: Stack) -> None:
    """What has a result there is reused; without a TARGET the steps are not known."""
    assert project.run("start", *ON, "--set", "solids.read.config.word=a!", "--name", "bad").code == 1
    ran = project.run("start", TARGET, "--stack", "letters-dev", "--from-failure", "bad", "--json")
    assert (ran.code, {step["step"]: step["status"] for step in ran.json()["steps"]}) == (
        1,
        {"read": "not selected", "count": "failed"},
    )
    ran = project.run("start", *ON, "--from-run", "bad", "--steps", "count", "--name", "reused")
    assert ran.code == 1
    ran = project.run("start", *ON, "--from-failure", "bad")
    assert (ran.code, ran.err) == (
        2,
        "error: `--from-failure` needs to know the pipeline's steps.\n"
        "  fix: add the TARGET, as in `solidstate start package.module:pipeline --from-failure last`\n",
    )


def test_ctrl_c_stops_watching_and_not_the_run(
    project: Project, stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how to look again, and how to stop the run."""
    stack.invoker.hold("count")

    def interrupted(self: Follower) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Follower, "follow", interrupted)
    ran = project.run("start", *ON, *WORD, "--name", "left")
    assert ran == (
        130,
        "",
        "started run left of pipeline letters\n\n"
        "no longer watching; the run goes on\n"
        "look again: solidstate show left --stack letters-dev\n"
        "stop it: solidstate cancel left --stack letters-dev\n",
    )
    assert stack.aws.describe(f"{stack.machines['letters'].replace(':stateMachine:', ':execution:')}:left")[
        "status"
    ] == ("RUNNING")


@pytest.mark.slow
def test_a_real_ctrl_c_does_the_same(project: Project, stack: Stack) -> None:
    """A process of its own that gets the signal."""
    stack.invoker.hold("count")
    process = project.start("start", *ON, *WORD, "--name", "signalled")
    assert process.stderr is not None
    first = process.stderr.readline()
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert first == "started run signalled of pipeline letters\n"
    assert "no longer watching; the run goes on" in rest
    assert process.returncode == 130


def test_help_needs_no_aws() -> None:
    """It is there at once."""
    script = (
        "import sys; from solidstate.cli.main import main; code = main(['start', '--help']); "
        "sys.exit(code or 'boto3' in sys.modules or 'solidstate.infra.deployed' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout[:33]) == (0, "usage: solidstate start [TARGET] ")
