"""Run a pipeline on this machine: on moto (the very definition and the very handler) or inline (no AWS at all)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from solidstate.handler.entry import make_handler
from solidstate.handler.live_events import LiveEvents
from solidstate.handler.logs import StepLogger
from solidstate.handler.recorder import Observer
from solidstate.handler.reuse import check_from_run, reused_steps
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.handler.start import run_exists
from solidstate.infra.home import Home
from solidstate.infra.inline import run_inline
from solidstate.infra.local_deploy import close_run, create_function, create_machines, not_installed, summary_after
from solidstate.infra.policies import function_policies
from solidstate.infra.run_ids import check_run_id
from solidstate.infra.time_limits import StoreOfTheLiving, TimeLimited
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.compile import Compiled, compile_plan
from solidstate.request import RunRequest, resolve_request
from solidstate.storage import keys
from solidstate.storage.files import open_folder, open_s3
from solidstate.storage.history import record_of
from solidstate.storage.records import RunSummary
from solidstate.storage.store import ObjectStore

if TYPE_CHECKING:
    from solidstate.infra.lambda_processes import LambdaProcesses

Engine = Literal["moto", "inline"]
ENGINES: tuple[Engine, ...] = ("moto", "inline")

Denied = Callable[[list[Any]], None]
"""Called after the run with what was denied (``infra.iam_denials.Denial``)."""

BUCKET = "solidstate-local"
FUNCTION = "solidstate-step"
MAX_HISTORY_EVENTS = 5_000
"""Executions with more events are kept without their history: moto needs half a millisecond for each."""


def run_local(
    pipeline: PipelineDefinition,
    document: Any,
    *,
    engine: Engine,
    home: Home,
    run_id: str,
    observer: Observer | None = None,
    bundle: Path | None = None,
    enforce_iam: Denied | None = None,
) -> RunSummary:
    """Run and remember. With a ``bundle`` (see ``local_bundle``), the moto engine's function is that bundle, in
    processes of AWS's runtime client; else it is the handler in this process.

    Raises RequestErrors, and SolidstateError for a run id that is taken or no run id, before
    anything is written; EngineError when the engine breaks down.

    With ``enforce_iam`` steps on moto may do only what is declared, as in a deployment; it is told what was denied.

    Ctrl-C ends the run as cancelled, keeps what was done, and goes on up as KeyboardInterrupt.
    """
    request = resolve_request(pipeline, document)
    loaded = LoadedPipeline(pipeline, build_plan(pipeline))
    _check_run_id(home, pipeline.name, run_id)
    check_from_run(home.store, loaded, request)
    home.prepare()
    with _log(home, run_id) as logger, home.running(run_id), ExitStack() as stack:
        if engine == "inline":
            store = home.store
            live = LiveEvents(store)
            stack.callback(live.close)
            runtime = Runtime(
                [loaded],
                store,
                engine="inline",
                open_fs=lambda: open_folder(home.files),
                observer=observer,
                log_sink=logger.sink,
                fetch_workers=1,
                live=live,
            )
            return run_inline(runtime, loaded, document, run_id)
        return _run_moto(loaded, document, request, home, run_id, observer, logger, bundle, enforce_iam)


def _check_run_id(home: Home, pipeline: str, run_id: str) -> None:
    check_run_id(run_id)
    if home.store.exists(keys.run_record(pipeline, run_id)):
        raise run_exists(pipeline, run_id)


@contextmanager
def _log(home: Home, run_id: str) -> Generator[StepLogger]:
    with home.log(run_id).open("a", encoding="utf-8") as stream:
        logger = StepLogger("solidstate", stream)
        try:
            yield logger
        finally:
            logger.close()


def _run_moto(
    loaded: LoadedPipeline,
    document: Any,
    request: RunRequest,
    home: Home,
    run_id: str,
    observer: Observer | None,
    logger: StepLogger,
    bundle: Path | None,
    enforce_iam: Denied | None,
) -> RunSummary:
    try:
        from solidstate.infra.enforcement import Enforcement
        from solidstate.infra.local_aws import local_aws
        from solidstate.infra.local_ends import record_lost_ends
        from solidstate.infra.local_mirror import mirror, preload
    except ModuleNotFoundError as error:
        raise not_installed(error, ", or run with `--engine inline`") from error
    from solidstate.storage.s3 import S3Store, s3_client
    from solidstate.storage.task_tokens import StepFunctionsTokens

    compiled = compile_plan(loaded.plan)
    limited = TimeLimited({step.name: step.compute.timeout_s for step in loaded.plan.steps})
    with ExitStack() as stack:
        processes = _processes(stack, bundle, loaded, home, run_id)
        invoke: Any = processes or limited
        judge = None
        if enforce_iam is not None:
            enforcement = Enforcement(function_policies(loaded.definition, loaded.plan, compiled), BUCKET)
            stack.callback(lambda: enforce_iam(enforcement.denials))
            invoke, judge = enforcement.invoker(invoke), enforcement.judge
        aws = stack.enter_context(local_aws(invoke, judge, timed=processes is None))
        aws.create_bucket(BUCKET)
        preload(BUCKET, home.objects, _needed(home.store, loaded, request, run_id))
        # In this process steps have a client like a function's own; beside processes the store is the engine's.
        client = s3_client(aws.endpoint_url, aws.region) if processes is None else aws.client("s3")
        store = StoreOfTheLiving(S3Store(client, BUCKET))
        live = LiveEvents(store)
        stack.callback(live.close)
        runtime = Runtime(
            [loaded],
            store,
            engine="moto",
            open_fs=lambda: open_s3(aws.endpoint_url),
            observer=observer,
            log_sink=logger.sink,
            tokens=StepFunctionsTokens(),
            live=live,
        )
        limited.handler = make_handler(runtime)
        if processes is not None:
            _connect(stack, processes, aws.endpoint_url, runtime, loaded, run_id)
        function = create_function(aws, FUNCTION, loaded.plan)
        machine = create_machines(aws, loaded.definition.name, compiled, function)
        with mirror(BUCKET, home.objects):
            text = msgspec.json.encode(document if document is not None else {}, enc_hook=str).decode()
            execution = ""
            try:
                execution = aws.start(machine, run_id, text)
                described = aws.wait(execution)
            except KeyboardInterrupt:
                if execution:
                    aws.stop(execution, "Cancelled", "stopped by the user")
                    close_run(runtime, loaded, store, run_id, "cancelled")
                    # A task that was just being scheduled may leave an event in moto's history that it cannot show.
                    with contextlib.suppress(Exception):
                        _keep_execution(home, run_id, compiled, aws.describe(execution), lambda: aws.history(execution))
                raise
            _keep_execution(home, run_id, compiled, described, lambda: aws.history(execution))
            summary = summary_after(runtime, loaded, store, run_id, described)
            return record_lost_ends(store, aws, summary, observer)


def _processes(
    stack: ExitStack, bundle: Path | None, loaded: LoadedPipeline, home: Home, run_id: str
) -> LambdaProcesses | None:
    if bundle is None:
        return None
    from solidstate.infra.local_bundle import bundled_function, collect_lines

    logs = home.execution(run_id) / "lambda"
    stack.callback(collect_lines, logs, home.log(run_id))
    return stack.enter_context(bundled_function(bundle, loaded.plan, logs, BUCKET))


def _connect(
    stack: ExitStack,
    processes: LambdaProcesses,
    endpoint_url: str,
    runtime: Runtime,
    loaded: LoadedPipeline,
    run_id: str,
) -> None:
    from solidstate.infra.local_environment import child_variables
    from solidstate.infra.local_narration import Narration

    processes.variables = child_variables(endpoint_url)
    if runtime.observer is not None:
        narration = Narration(runtime.store, loaded, run_id, runtime.observer)
        processes.before, processes.after = narration.before, narration.after
    stack.callback(processes.close)  # before the local AWS is closed, which they speak to


def _needed(home_store: ObjectStore, loaded: LoadedPipeline, request: RunRequest, run_id: str) -> list[str]:
    """Keys of earlier runs that this one reads: its own record (a name used twice is refused), and what it reuses."""
    pipeline, earlier = loaded.definition.name, request.from_run
    needed = [keys.run_record(pipeline, run_id)]
    if earlier is not None:
        needed.append(keys.run_record(pipeline, earlier))
        needed.append(keys.plan(pipeline, record_of(home_store, pipeline, earlier).plan))
        for step in reused_steps(loaded, request):
            needed.append(keys.commit(pipeline, step, earlier))
            needed.append(keys.data_prefix(pipeline, step, earlier))
            over = loaded.steps[step].map_over
            if over is not None:
                needed.append(keys.commits_prefix(pipeline, step, earlier))
                needed.append(keys.mapped_data_prefix(pipeline, step, earlier))
                needed.append(keys.commit(pipeline, over.step, earlier))
    return needed


def _keep_execution(
    home: Home,
    run_id: str,
    compiled: Compiled,
    described: dict[str, Any],
    history: Callable[[], list[dict[str, Any]]],
) -> None:
    folder = home.execution(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "definition.asl.json").write_bytes(compiled.definition)
    for part in compiled.parts:
        (folder / f"{part.name}.asl.json").write_bytes(part.definition)
    (folder / "execution.json").write_bytes(_readable(described))
    if compiled.definition.count(b'"Type"') * 5 <= MAX_HISTORY_EVENTS:
        (folder / "history.json").write_bytes(_readable(history()))


def _readable(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=1) + b"\n"
