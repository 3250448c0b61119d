"""The way of a user: a new project, rendered, judged, built and deployed by AWS's own SAM CLI, started with AWS's own
command line, and run as uploaded."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest

from solidstate.infra.local_aws import LocalAws, local_aws
from solidstate.infra.local_bundle import bundled_function
from solidstate.infra.local_environment import child_variables
from solidstate.infra.moto_inside import inside
from solidstate.planner.plan import decode_plan
from tests.infra.templates import translated

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / "scripts" / "sam"
SOLIDSTATE, AWS = (Path(sys.executable).with_name(name) for name in ("solidstate", "aws"))
BUCKET = "tea-shop-data"

pytestmark = pytest.mark.slow


def run(folder: Path, *command: str | Path, local: LocalAws | None = None) -> str:
    """A command's output; it must succeed. With a ``local`` AWS it finds that, as any client does."""
    own = {name: value for name, value in os.environ.items() if local is not None or not name.startswith("AWS_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**own, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """New, and built by SAM."""
    folder = tmp_path_factory.mktemp("sam")
    run(folder, SOLIDSTATE, "new", "x", "--runtime", f"python{sys.version_info.major}.{sys.version_info.minor}")
    assert "Build Succeeded" in run(folder / "x", SAM, "build")
    return folder / "x"


@pytest.fixture
def transforming(monkeypatch: pytest.MonkeyPatch) -> None:
    """What CloudFormation does and moto does not: SAM's transform, templates in a bucket of the endpoint, outputs of a
    stack that a change set has made."""
    responses, backend = inside("cloudformation.responses"), inside("cloudformation.models").CloudFormationBackend
    fetch, create, execute = responses.get_stack_from_s3_url, backend.create_change_set, backend.execute_change_set

    def fetched(url: str, *given: Any, **named: Any) -> Any:
        return fetch(url.replace("127.0.0.1", "localhost"), *given, **named)

    def transformed(self: Any, stack_name: str, change_set_name: str, template: str, *given: Any, **named: Any) -> Any:
        return create(self, stack_name, change_set_name, json.dumps(translated(template)), *given, **named)

    def executed(self: Any, *given: Any, **named: Any) -> None:
        execute(self, *given, **named)
        for made in self.change_sets.values():
            stack = self.stacks[made.stack_id]
            stack.template_dict = made.template_dict
            stack.output_map = stack._create_output_map()

    monkeypatch.setattr(responses, "get_stack_from_s3_url", fetched)
    monkeypatch.setattr(backend, "create_change_set", transformed)
    monkeypatch.setattr(backend, "execute_change_set", executed)


@pytest.fixture
def uploaded(tmp_path: Path) -> Iterator[Uploaded]:
    """A local AWS whose function runs what was deployed to it."""
    with Uploaded(tmp_path) as found:
        yield found


class Uploaded:
    """A local AWS, and as the invoker of its function AWS's runtime client on what is deployed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._processes: Any = None
        self.aws: LocalAws

    def __enter__(self) -> Self:
        self.aws = self._stack.enter_context(local_aws(self._invoke, timed=False))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _invoke(self, name: str, event: dict[str, Any], context: Any) -> Any:
        if self._processes is None:
            self._processes = self._start(name)
        return self._processes(name, event, context)

    def _start(self, name: str) -> Any:
        """Unpack what the function was made from, as Lambda does before its first invocation."""
        deployed = self.aws.client("lambda").get_function(FunctionName=name)
        variables = deployed["Configuration"]["Environment"]["Variables"]
        (code,) = inside("awslambda.models").lambda_backends["123456789012"][self.aws.region].list_functions()
        archive = self.aws.client("s3").get_object(Bucket=code.code["S3Bucket"], Key=code.code["S3Key"])["Body"].read()
        zipfile.ZipFile(io.BytesIO(archive)).extractall(self._folder / "task")
        plan = decode_plan((self._folder / "task" / "plans" / "x.json").read_bytes())
        processes = self._stack.enter_context(
            bundled_function(self._folder / "task", plan, self._folder / "logs", variables["SOLIDSTATE_BUCKET"])
        )
        of_template = {key: str(value) for key, value in variables.items()}  # moto leaves numbers as they are
        processes.variables = {**child_variables(self.aws.endpoint_url), **of_template}
        return processes


def test_a_new_project_is_valid_and_in_step(project: Path) -> None:
    """`template` has nothing to change, `sam validate --lint` nothing to say."""
    assert "unchanged" in run(project, SOLIDSTATE, "template")
    assert "is a valid SAM Template" in run(project, SAM, "validate", "--lint")


@pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client is for Linux")
def test_what_sam_builds_runs(project: Path) -> None:
    """On AWS's runtime client, under the policies of the deployment."""
    built = project / ".aws-sam" / "build" / "XStepFunction"
    assert (built / "solidstate-bundle.json").is_file()
    assert (project / "build" / "machines" / "x.asl.json").is_file()
    told = run(project, SOLIDSTATE, "run", "x.pipeline:x", "--lambda", "runtime", "--bundle", built, "--enforce-iam")
    assert "3 ok" in told


@pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client is for Linux")
def test_what_sam_deploys_runs(project: Path, transforming: None, uploaded: Uploaded) -> None:
    """`sam deploy` to the local AWS; an execution started with AWS's command line runs the very zip that SAM has
    uploaded, with the variables of the template; our commands find the run by `samconfig.toml`."""
    local = uploaded.aws
    local.create_bucket("artifacts")
    deploy = ("--s3-bucket", "artifacts", "--no-resolve-s3", "--no-confirm-changeset", "--region", local.region)
    run(project, SAM, "deploy", *deploy, "--parameter-overrides", f"DataBucket={BUCKET}", local=local)
    (stack,) = local.client("cloudformation").describe_stacks(StackName="x")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["DataBucket"] == BUCKET
    start = ("stepfunctions", "start-execution", "--state-machine-arn", outputs["StateMachine"], "--name", "monday")
    started = json.loads(run(project, AWS, *start, "--input", "{}", "--output", "json", local=local))
    ended = local.wait(started["executionArn"], timeout_s=120)
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    told = run(project, SOLIDSTATE, "show", "monday", "--deployed", local=local)
    assert "3 ok" in told


def test_the_flights_template_is_valid_to_sam() -> None:
    """The one of this repository, too."""
    assert "is a valid SAM Template" in run(ROOT, SAM, "validate", "--lint")
