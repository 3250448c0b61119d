"""Step Functions as the command line needs it: machines, executions, histories. One method for each question asked."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Literal, cast

import msgspec

from solidstate.errors import RunNotFound, SolidstateError, short
from solidstate.infra.aws_account import AwsAccount
from solidstate.infra.aws_errors import Answered, asking

ExecutionStatus = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]
PAGE = 1000
"""Events of a history, or executions, asked for at a time: the most the service gives."""

_MACHINE = re.compile(r"(arn:aws[\w-]*:states:[\w-]+:\d*):stateMachine:([^:/]+)(?::([^:/]+))?")
_EXECUTION = re.compile(r"(arn:aws[\w-]*:states:[\w-]+:\d*):execution:([^:/]+):([^:/]+)")
_FORBIDDEN = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]')
_LONGEST_NAME = 80


class Execution(msgspec.Struct, frozen=True):
    """One execution. Times in seconds since 1970; ``error`` and ``cause`` are known where it was described."""

    arn: str
    name: str
    status: ExecutionStatus
    started_at: float
    stopped_at: float | None = None
    error: str = ""
    cause: str = ""

    @property
    def running(self) -> bool:
        return self.status in ("RUNNING", "PENDING_REDRIVE")


class MachineArn(msgspec.Struct, frozen=True):
    """A state machine's ARN taken apart; ``qualifier`` is a version's number or an alias."""

    prefix: str
    name: str
    qualifier: str | None = None

    @property
    def region(self) -> str:
        return self.prefix.split(":")[3]

    @property
    def whole(self) -> str:
        """As it is started."""
        return self.bare if self.qualifier is None else f"{self.bare}:{self.qualifier}"

    @property
    def bare(self) -> str:
        return f"{self.prefix}:stateMachine:{self.name}"

    def execution(self, name: str) -> str:
        """The ARN that an execution of that name has."""
        return f"{self.prefix}:execution:{self.name}:{name}"


def parse_machine_arn(text: str) -> MachineArn:
    """Raises SolidstateError for what is no state machine's ARN."""
    found = _MACHINE.fullmatch(text)
    if found is None:
        raise SolidstateError(
            f"`{short(text, 200)}` is not the ARN of a state machine.",
            subject="--machine",
            hint="copy it from the console; it looks like `arn:aws:states:eu-west-1:123456789012:stateMachine:NAME`",
        )
    return MachineArn(found[1], found[2], found[3])


def parse_execution_arn(text: str) -> tuple[MachineArn, str] | None:
    """The machine and the name of an execution; None for what is no execution's ARN."""
    found = _EXECUTION.fullmatch(text)
    return (MachineArn(found[1], found[2]), found[3]) if found is not None else None


def check_execution_name(name: str) -> str:
    """The name itself, when Step Functions takes it (API reference, StartExecution). Raises SolidstateError."""
    wrong = _FORBIDDEN.search(name)
    if name and len(name) <= _LONGEST_NAME and wrong is None:
        return name
    why = (
        f"it has {len(name)} characters and {_LONGEST_NAME} are allowed"
        if len(name) > _LONGEST_NAME
        else f"it holds {wrong[0]!a}"
        if wrong is not None
        else "it is empty"
    )
    raise SolidstateError(
        f"`{short(name)}` cannot be the name of an execution: {why}.",
        subject="--name",
        hint="use letters, digits, `_`, `-` and `.`, at most 80 characters",
    )


class Executions:
    """The Step Functions of one account. Every method raises AwsUnavailable when the service could not be asked."""

    def __init__(self, account: AwsAccount) -> None:
        self._account = account

    @property
    def _client(self) -> Any:
        return self._account.client("stepfunctions")

    def definition(self, machine: MachineArn) -> dict[str, Any]:
        """The machine's definition as it is deployed now. Raises SolidstateError when there is no such machine."""
        numbered = machine.qualifier is not None and machine.qualifier.isdigit()
        arn = machine.whole if numbered else machine.bare
        missing = f"There is no state machine `{machine.name}` in {machine.region}"
        asked = asking(f"look at the state machine `{machine.name}`", "states:DescribeStateMachine")
        with _refused_as(missing, "--machine"), asked:
            text = self._client.describe_state_machine(stateMachineArn=arn)["definition"]
        return cast("dict[str, Any]", msgspec.json.decode(text))

    def start(self, machine: MachineArn, name: str, text: str) -> str:
        """Start an execution with this input; gives its ARN. Raises SolidstateError for a name that is taken."""
        try:
            with asking(f"start the state machine `{machine.name}`", "states:StartExecution"):
                started = self._client.start_execution(stateMachineArn=machine.whole, name=name, input=text)
        except Answered as answer:
            if answer.code == "ExecutionAlreadyExists":
                raise SolidstateError(
                    f"There is already an execution `{short(name)}` of the state machine `{machine.name}`.",
                    subject="--name",
                    hint="choose another `--name`, or leave it out",
                ) from answer
            raise SolidstateError(
                f"The state machine `{machine.name}` was not started: {answer.message or answer.code}.",
                subject=machine.name,
                hint="check that the stack is deployed and complete",
            ) from answer
        return str(started["executionArn"])

    def describe(self, arn: str) -> Execution:
        """Raises RunNotFound for an execution that does not exist, or not any more: the service forgets it 90 days
        after its end."""
        try:
            with asking("look at the execution", "states:DescribeExecution"):
                found = self._client.describe_execution(executionArn=arn)
        except Answered as answer:
            raise RunNotFound(
                f"Step Functions knows no execution `{short(arn, 200)}`.",
                subject=arn,
                hint="it forgets executions 90 days after their end; `solidstate runs` lists those it knows",
            ) from answer
        return _execution(found)

    def stop(self, arn: str, error: str, cause: str) -> None:
        """Stop an execution; nothing happens to one that has ended."""
        try:
            with asking("stop the execution", "states:StopExecution"):
                self._client.stop_execution(executionArn=arn, error=error, cause=cause)
        except Answered as answer:
            raise RunNotFound(f"The execution was not stopped: {answer.message}.", subject=arn) from answer

    def latest(self, machine: MachineArn) -> Iterator[Execution]:
        """The executions of a machine, newest first, fetched as they are taken."""
        yield from self._listed({"stateMachineArn": machine.bare}, machine.name)

    def children(self, map_run: str) -> Iterator[Execution]:
        """The child executions of a distributed Map."""
        yield from self._listed({"mapRunArn": map_run}, map_run)

    def _listed(self, of: dict[str, str], name: str) -> Iterator[Execution]:
        token: dict[str, str] = {}
        while True:
            asked = asking("list the executions", "states:ListExecutions")
            with _refused_as(f"There is no state machine `{name}`", "--machine"), asked:
                page = self._client.list_executions(**of, maxResults=100, **token)
            yield from (_execution(found) for found in page["executions"])
            if not page.get("nextToken"):
                return
            token = {"nextToken": page["nextToken"]}

    def history(self, arn: str, after: int = 0) -> list[dict[str, Any]]:
        """The events of an execution with an id greater than ``after``, oldest first. Raises RunNotFound."""
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            try:
                with asking("read the execution's history", "states:GetExecutionHistory"):
                    # Newest first, so that what is known already need not be read again.
                    page = self._client.get_execution_history(
                        executionArn=arn, maxResults=PAGE, reverseOrder=after > 0, **token
                    )
            except Answered as answer:
                raise RunNotFound(f"The execution's history was not found: {answer.message}.", subject=arn) from answer
            fresh = [event for event in page["events"] if event["id"] > after]
            found += fresh
            if not page.get("nextToken") or len(fresh) < len(page["events"]):
                return sorted(found, key=_number)
            token = {"nextToken": page["nextToken"]}


@contextmanager
def _refused_as(problem: str, subject: str) -> Generator[None]:
    """A refused request becomes a sentence about what was asked for."""
    try:
        yield
    except Answered as answer:
        raise SolidstateError(
            f"{problem}: {answer.message or answer.code}.",
            subject=subject,
            hint="check the name, the region and the profile",
        ) from answer


def _number(event: dict[str, Any]) -> int:
    return int(event["id"])


def _execution(found: dict[str, Any]) -> Execution:
    stopped = found.get("stopDate")
    return Execution(
        arn=found["executionArn"],
        name=found["name"],
        status=found["status"],
        started_at=found["startDate"].timestamp(),
        stopped_at=stopped.timestamp() if stopped is not None else None,
        error=found.get("error") or "",
        cause=found.get("cause") or "",
    )
