"""Repairs of moto's Step Functions interpreter: speed, JSONPath, the context object, Choice, and its shared state."""

from __future__ import annotations

import datetime
import functools
import re
import threading
from typing import Any

from solidstate.infra.moto_inside import ENGINE_KEY, inside, swap, swap_everywhere

_DEFINITE = re.compile(r"""\$(?:\.[A-Za-z_][\w\-]*|\[\d+\]|\['[^']*'\]|\["[^"]*"\])*""")
_STEP = re.compile(r"""\.([A-Za-z_][\w\-]*)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_CLIENTS_KEPT = 16


def cache_clients() -> None:
    """Every task builds a new boto3 client: about 12 ms each, from a default session that is not thread safe."""
    import boto3
    from botocore.config import Config

    module = inside("stepfunctions.parser.asl.utils.boto_client")
    lock = threading.Lock()

    @functools.lru_cache(_CLIENTS_KEPT)
    def made(region: str, service: str, endpoint: str | None) -> Any:
        session: Any = boto3.session.Session(
            aws_access_key_id=ENGINE_KEY, aws_secret_access_key="local", region_name=region
        )
        # The interpreter has validated the call; it retries by the machine's Retry rules only. A task may take as
        # long as its state machine allows, which the interpreter enforces itself.
        config = Config(
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            connect_timeout=60,
            read_timeout=module.TimeoutSeconds.DEFAULT_TIMEOUT_SECONDS,
            max_pool_connections=256,
            proxies={},
        )
        # botocore's type stubs list every service as a literal; here the name comes from the state machine.
        return session.client(service, endpoint_url=endpoint, config=config)

    def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        endpoint = None if module.botocore_stubber.enabled else f"http://127.0.0.1:{module.moto_server_port()}"
        with lock:
            return made(region, service, endpoint)

    swap_everywhere("boto_client_for", module.boto_client_for, boto_client_for)


def definite_paths() -> None:
    """``$.list[0].name`` gives ``["x"]``; AWS gives ``"x"``: a path that can name one value only is that value."""
    module = inside("stepfunctions.parser.asl.utils.json_path")
    original = module.extract_json

    def extract_json(path: str, data: Any) -> Any:
        if not _DEFINITE.fullmatch(path):
            return original(path, data)
        value: Any = data
        for name, index, single, double in _STEP.findall(path):
            if isinstance(value, str):  # text has characters, but no members
                raise module.NoSuchJsonPathError(json_path=path, data=data)
            try:
                value = value[int(index) if index else name or single or double]
            except (IndexError, KeyError, TypeError) as error:
                raise module.NoSuchJsonPathError(json_path=path, data=data) from error
        return value

    swap_everywhere("extract_json", original, extract_json)


def forget_threads() -> None:
    """``TMP_THREADS`` keeps every Thread object ever started, three a branch and one a task, as long as the process."""

    class Nothing(list[Any]):
        """A list that stays empty."""

        def append(self, item: Any) -> None:
            """Let the thread go."""

    swap_everywhere("TMP_THREADS", inside("stepfunctions.parser.utils").TMP_THREADS, Nothing())


def start_time_is_text() -> None:
    """``$$.Execution.StartTime`` is a datetime object: an output that has it, or all of ``$$``, cannot be described."""
    execution = inside("stepfunctions.parser.backend.execution").Execution

    def details(self: Any) -> Any:
        found = original(self)
        if isinstance(found.start_time, datetime.datetime):
            found.start_time = found.start_time.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return found

    original = swap(execution, "get_start_execution_details", details)


def no_choice_matched() -> None:
    """A Choice without a match and without Default fails as ``States.Runtime``; AWS says ``States.NoChoiceMatched``."""
    failure = inside("stepfunctions.parser.asl.component.common.error_name.failure_event")
    names = inside("stepfunctions.parser.asl.component.common.error_name.states_error_name")
    types = inside("stepfunctions.parser.asl.component.common.error_name.states_error_name_type")
    details = inside("stepfunctions.parser.asl.eval.event.event_detail")
    api = inside("stepfunctions.parser.api")
    choice = inside("stepfunctions.parser.asl.component.state.choice.state_choice").StateChoice

    def evaluate(self: Any, env: Any) -> None:
        try:
            original(self, env)
        except RuntimeError as error:
            if "No branching option" not in str(error):
                raise
            kind = types.StatesErrorNameType.StatesNoChoiceMatched
            cause = f"Failed to transition out of the state '{self.name}'. The state does not point to a next state."
            told = api.TaskFailedEventDetails(error=kind.to_name(), cause=cause)
            raise failure.FailureEventException(
                failure.FailureEvent(
                    env=env,
                    error_name=names.StatesErrorName(typ=kind),
                    event_type=api.HistoryEventType.TaskFailed,
                    event_details=details.EventDetails(taskFailedEventDetails=told),
                )
            ) from error

    original = swap(choice, "_eval_state", evaluate)


def query_language_per_parse() -> None:
    """The parser keeps its stack of query languages on the class: one definition that fails half way through poisons
    every later one in the process, and definitions parsed at the same time disturb each other."""
    preprocessor = inside("stepfunctions.parser.asl.parse.preprocessor").Preprocessor

    def own_stack(self: Any) -> None:
        self._query_language_per_scope = []

    swap(preprocessor, "__init__", own_stack)


def status_last() -> None:
    """An execution is marked SUCCEEDED or FAILED before its output, error and cause are there: who polls at that
    moment reads a success with no output or a failure with no reason."""
    module = inside("stepfunctions.parser.backend.execution")
    states = inside("stepfunctions.parser.asl.eval.program_state")
    status = inside("stepfunctions.parser.api").ExecutionStatus

    def reflect(self: Any) -> None:
        execution = self.execution
        if execution.exec_status == status.ABORTED:  # StopExecution has said so, and when
            return
        ended = execution.exec_worker.env.program_state()
        execution.stop_date = datetime.datetime.now(tz=datetime.UTC)
        if isinstance(ended, states.ProgramEnded):
            execution.output = execution.exec_worker.env.states.get_input()
            execution.exec_status = status.SUCCEEDED
        elif isinstance(ended, states.ProgramError):
            execution.error = ended.error.get("error")
            execution.cause = ended.error.get("cause")
            execution.exec_status = status.FAILED
        else:
            original(self)

    original = swap(module.BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect)
