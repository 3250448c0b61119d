"""A built bundle as the Lambda function of a local run: found or built, checked to be of this code, and started."""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from solidstate.errors import EngineError, SolidstateError
from solidstate.infra.bundle_build import build_bundle
from solidstate.infra.bundle_manifest import Manifest, read_manifest
from solidstate.infra.bundle_place import is_bundle
from solidstate.infra.bundle_recipe import Recipe, recipe_for
from solidstate.infra.bundle_settings import ARCHITECTURES, Choices, local_runtime
from solidstate.infra.home import Home
from solidstate.infra.lambda_environment import Sandbox
from solidstate.infra.lambda_layers import RUNTIME, link_packages
from solidstate.infra.lambda_processes import LambdaProcesses, Limits
from solidstate.planner.plan import ExecutionPlan

HANDLER = "solidstate.handler.entry.lambda_handler"
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def local_bundle(target: str, home: Home, given: Path | None, notify: Callable[[str], None]) -> Path:
    """The bundle to run ``target`` with: the one given, or one of the home, built when the code has changed since.

    Raises EngineError where Lambda's runtime client cannot run, SolidstateError for a bundle of other code or for
    another Python, and what a build raises.
    """
    if sys.platform != "linux":
        raise EngineError(
            "AWS's runtime client runs on Linux only, so that `--lambda runtime` does too.",
            subject="--lambda",
            hint="leave `--lambda runtime` out, or run in a container of Linux",
        )
    recipe = recipe_for([target], Choices(runtime=local_runtime(), arch=local_architecture()))
    if given is not None:
        _check_fits(given, read_manifest(given), recipe, target)
        return given
    bundle = home.root / "bundles" / recipe.pipelines[0].definition.name
    if not is_bundle(bundle) or read_manifest(bundle).inputs != recipe.inputs:
        notify("building the bundle, which is kept until code or packages change")
        home.prepare()
        build_bundle(recipe, bundle)
    return bundle


def local_architecture() -> str:
    """This machine's, by Lambda's name."""
    return _MACHINES.get(platform.machine().lower(), ARCHITECTURES[0])


@contextmanager
def bundled_function(bundle: Path, plan: ExecutionPlan, logs: Path, bucket: str) -> Generator[LambdaProcesses]:
    """The invoker for ``local_aws`` that runs the bundle; every process has ended when the body is left.

    ``logs`` gets a file for each execution environment, as CloudWatch has a log stream for each.
    """
    manifest = read_manifest(bundle)
    with tempfile.TemporaryDirectory(prefix="solidstate-lambda-") as temporary:
        folder = Path(temporary)
        layers = (link_packages(manifest.layer, folder / "layer"),) if manifest.layer else ()
        limits = {step.name: Limits(step.compute.timeout_s, step.compute.memory_mb) for step in plan.steps}
        largest = Limits(*(max(column) for column in zip(*limits.values(), strict=True)))
        sandbox = Sandbox(
            python=sys.executable,
            handler=HANDLER,
            bundle=bundle.resolve(),
            layers=layers,
            runtime=link_packages(RUNTIME, folder / "runtime"),
            variables=_variables(bundle.resolve(), manifest, bucket),
            memory_mb=largest.memory_mb,
        )
        with LambdaProcesses(sandbox, largest=largest, of_step=limits, folder=folder / "tmp", logs=logs) as processes:
            yield processes


def collect_lines(logs: Path, target: Path) -> None:
    """Append what steps have logged, in order of time, to the file where a run's log is kept."""
    found: list[tuple[str, str]] = []
    for path in sorted(logs.glob("*.log")):
        for text in path.read_text("utf-8", "replace").splitlines():
            record: Any = _json(text) if text.startswith("{") else None
            if isinstance(record, dict) and "run" in record and "timestamp" in record:
                found.append((str(record["timestamp"]), text))
    with target.open("a", encoding="utf-8") as stream:
        stream.writelines(f"{text}\n" for _, text in sorted(found, key=lambda pair: pair[0]))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _check_fits(bundle: Path, manifest: Manifest, recipe: Recipe, target: str) -> None:
    settings, name = recipe.settings, recipe.pipelines[0].definition.name
    again = f"`solidstate build {target} --runtime {settings.runtime} --arch {settings.arch}`"
    problem = None
    if (manifest.runtime, manifest.arch) != (settings.runtime, settings.arch):
        problem = (
            f"is for {manifest.runtime} on {manifest.arch}, but this machine runs {settings.runtime} on {settings.arch}"
        )
    elif name not in manifest.targets:
        problem = f"has no pipeline `{name}`; it has {', '.join(f'`{one}`' for one in manifest.targets)}"
    else:
        changed = next((file for file, path in recipe.code.files.items() if _differs(bundle / file, path)), None)
        if changed is not None:
            problem = f"is older than the code: `{changed}` has changed since it was built"
    if problem is not None:
        raise SolidstateError(f"The bundle `{bundle}` {problem}.", subject=str(bundle), hint=f"build it with {again}")


def _differs(shipped: Path, source: Path) -> bool:
    return shipped.is_file() and shipped.read_bytes() != source.read_bytes()


def _variables(bundle: Path, manifest: Manifest, bucket: str) -> dict[str, str]:
    """What Lambda sets (developer guide, "Defined runtime environment variables"), and what the template sets."""
    return {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{manifest.runtime}",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(bundle),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "POWERTOOLS_SERVICE_NAME": "solidstate",
        "SOLIDSTATE_BUCKET": bucket,
        "SOLIDSTATE_PIPELINES": manifest.pipelines_variable,
        "TZ": ":UTC",
        "_HANDLER": HANDLER,
    }
