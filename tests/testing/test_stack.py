"""The stack that a test has in hand: runs, what they leave, and that tests do not meet each other's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from solidstate import (
    Compute,
    DefinitionError,
    PipelineFailed,
    RequestErrors,
    SolidstateError,
    execute_pipeline,
    pipeline,
    resource,
    solid,
)
from solidstate.errors import EngineError
from solidstate.events import StepExpectation
from solidstate.storage import keys
from solidstate.testing import LocalStack, open_account, open_local_stack
from solidstate.testing.account import Account
from solidstate.testing.stack import stack_of
from tests.testing.orders import LOCAL, orders, parts


def test_a_run_gives_what_execute_pipeline_gives(local_stack: LocalStack) -> None:
    """Values, statuses, expectations and kinds of events are the same, by way of Step Functions and Lambda."""
    here, there = local_stack.run(orders, LOCAL), execute_pipeline(orders, LOCAL)
    assert here.success
    assert here.output_value("total") == there.output_value("total") == "6 at the corner"
    assert [s.status for s in here.summary.steps] == [s.status for s in there.summary.steps]
    assert [type(event) for event in here.events] == [type(event) for event in there.events]
    assert [one.label for one in here.events_of_kind(StepExpectation)] == ["not_empty"]
    assert here.summary.execution.startswith("arn:aws:states:")


def test_a_mapped_pipeline_runs(local_stack: LocalStack) -> None:
    """Items and what collects them."""
    result = local_stack.run(parts)
    assert result.output("double") == {"n0": 0, "n1": 2}
    assert result.output("add") == 2


def test_stubs_take_the_place_of_resources(local_stack: LocalStack) -> None:
    """A plain value or a resource, for one run; the next one has the pipeline's own."""

    @resource
    def other() -> str:
        return "the stall"

    assert local_stack.run(orders, LOCAL, resources={"shop": "a stub"}).output("total") == "6 at a stub"
    assert local_stack.run(orders, LOCAL, resources={"shop": other}).output("total") == "6 at the stall"
    assert local_stack.run(orders, {"preset": "prod"}, resources={"shop": "a stub"}).output("total") == "6 at a stub"
    assert local_stack.run(orders, {"preset": "prod"}).output("total") == "6 at the shop in Bonn"


def test_what_is_wrong_is_told_before_anything_runs(local_stack: LocalStack) -> None:
    """Requests, stubs and run ids; nothing is left in the bucket."""
    with pytest.raises(RequestErrors) as wrong:
        local_stack.run(orders, {"mode": "local", "solids": {"lod": {}}})
    with pytest.raises(RequestErrors) as same:
        execute_pipeline(orders, {"mode": "local", "solids": {"lod": {}}})
    assert str(wrong.value) == str(same.value)
    with pytest.raises(DefinitionError) as stub:
        local_stack.run(orders, LOCAL, resources={"shopp": 1})
    assert str(stub.value) == "Pipeline `orders` has no resource 'shopp'; it has `shop`.\n  fix: did you mean `shop`?"
    with pytest.raises(EngineError, match=r"^The run id 'a/b' cannot be used: expected a letter or digit"):
        local_stack.run(orders, LOCAL, run_id="a/b")
    assert "Contents" not in local_stack.s3.list_objects_v2(Bucket=local_stack.bucket)


@solid
def refuse(n: int = 0) -> float:
    """Divides by zero."""
    return 1 / n


@pipeline
def failing() -> None:
    """One step that fails."""
    refuse()


def test_a_failure_is_raised_from_the_solids_own(local_stack: LocalStack) -> None:
    """Or given back, with the failure on the step."""
    with pytest.raises(PipelineFailed) as raised:
        local_stack.run(failing)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    result = local_stack.run(failing, raise_on_error=False)
    failure = result.result_for_solid("refuse").failure
    assert failure is not None
    assert failure.type == "ZeroDivisionError"
    assert failure.place is not None
    assert failure.place.code == "return 1 / n"


@solid
def publish(context: Any, bucket: str) -> str:
    """Write a file, and read one that was there."""
    context.fs.pipe_file(f"{bucket}/out.txt", b"from the step")
    return str(context.fs.cat_file(f"{bucket}/in.txt").decode())


@pipeline
def publishing() -> None:
    """One step."""
    publish()


def test_files_go_both_ways(local_stack: LocalStack) -> None:
    """What boto3 puts a step reads, and what a step writes s3fs and boto3 find, in the bucket of this test."""
    bucket = local_stack.bucket
    local_stack.s3.put_object(Bucket=bucket, Key="in.txt", Body=b"from the test")
    result = local_stack.run(publishing, {"solids": {"publish": {"inputs": {"bucket": bucket}}}})
    assert result.output("publish") == "from the test"
    assert local_stack.fs.cat_file(f"{bucket}/out.txt") == b"from the step"
    assert local_stack.s3.get_object(Bucket=bucket, Key="out.txt")["Body"].read() == b"from the step"
    assert local_stack.endpoint_url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("test", ["first", "second"])
def test_tests_do_not_meet(local_stack: LocalStack, test: str) -> None:
    """The same run id in two tests is two runs; in one test it is refused."""
    assert "Contents" not in local_stack.s3.list_objects_v2(Bucket=local_stack.bucket)
    assert local_stack.run(orders, LOCAL, run_id="the-run").run_id == "the-run"
    with pytest.raises(SolidstateError, match=r"^There is already a run `the-run` of pipeline `orders`\."):
        local_stack.run(orders, LOCAL, run_id="the-run")


def test_executions_can_be_started_by_hand(local_stack: LocalStack) -> None:
    """By the machine's ARN, with any client; the input is the run request and stubs hold."""
    machine = local_stack.machine_arn(orders, resources={"shop": "the stub"})
    states = local_stack.client("stepfunctions")
    started = states.start_execution(stateMachineArn=machine, name="by-hand", input=json.dumps(LOCAL))
    result = local_stack.result(started["executionArn"])
    assert result.output("total") == "6 at the stub"
    assert result.run_id == "by-hand"
    assert local_stack.history(started["executionArn"])[-1]["type"] == "ExecutionSucceeded"


def test_an_input_that_is_no_request_is_told(local_stack: LocalStack) -> None:
    """The cause of the failed execution, as people at the console read it."""
    machine = local_stack.machine_arn(orders)
    started = local_stack.client("stepfunctions").start_execution(stateMachineArn=machine, input='{"moode": "local"}')
    with pytest.raises(EngineError, match=r"^The execution ended before the run began: RunRefused: Run request for"):
        local_stack.result(started["executionArn"])


def test_results_are_of_this_stack_alone(local_stack: LocalStack) -> None:
    """An execution of another machine has none."""
    arn = "arn:aws:states:us-east-1:123456789012:execution:other:e-1"
    local_stack.run(orders, LOCAL)
    with pytest.raises(Exception, match="ExecutionDoesNotExist"):
        local_stack.result(arn)


def test_a_pipeline_is_deployed_once(local_stack_account: Account) -> None:
    """Tests share its machine; one that takes it in hand gets a machine whose names are free for it."""
    with stack_of(local_stack_account) as first:
        machine = first.machine_arn(parts)
        assert first.machine_arn(parts) == machine
        execution = first.start(parts, run_id="same")
        assert first.result(execution).success
    with stack_of(local_stack_account) as second:
        again = second.start(parts)
        assert again.rpartition(":")[0] == execution.rpartition(":")[0]
        assert second.result(again).success
        assert second.machine_arn(parts) != machine
        assert second.result(second.start(parts, run_id="same")).success


def test_the_bucket_goes_with_the_test(local_stack_account: Account) -> None:
    """What is left of a test is its machine."""
    with stack_of(local_stack_account) as stack:
        stack.run(orders, LOCAL)
        bucket, client = stack.bucket, stack.s3
    assert bucket not in [one["Name"] for one in client.list_buckets()["Buckets"]]
    assert all(not deployment.runs for deployment in local_stack_account.deployments())


def test_one_stack_at_a_time(local_stack: LocalStack, local_stack_account: Account) -> None:
    """A second one is refused, whichever way it is asked for."""
    with pytest.raises(EngineError) as twice, stack_of(local_stack_account):
        pass
    assert str(twice.value) == (
        "A local stack is in use already in this process; one at a time is expected.\n"
        "  fix: use the one there is, or leave its `with` block first"
    )
    with pytest.raises(EngineError, match="A local AWS is already open in this process"), open_account():
        pass
    with pytest.raises(EngineError, match="A local AWS is already open in this process"), open_local_stack():
        pass


def test_what_somebodys_mock_emptied_is_made_anew(local_stack_account: Account) -> None:
    """The state of moto is one for the process, and a test's own ``mock_aws`` resets it."""
    from moto import mock_aws

    with stack_of(local_stack_account) as stack:
        stack.run(orders, LOCAL)
    with mock_aws():
        pass
    with stack_of(local_stack_account) as stack:
        assert stack.run(orders, LOCAL).success


def test_functions_of_others_do_not_run(local_stack: LocalStack) -> None:
    """The invoker knows the handler of pipelines, and says so of anything else."""
    local_stack.client("lambda").create_function(
        FunctionName="other",
        Runtime="python3.12",
        Handler="other.handler",
        Role="arn:aws:iam::123456789012:role/local",
        Code={"ZipFile": b""},
    )
    answer = local_stack.client("lambda").invoke(FunctionName="other", Payload=b"{}")
    assert json.loads(answer["Payload"].read())["errorMessage"] == (
        "The Lambda function `other` is not one of a pipeline; a local stack runs no other code."
    )


def test_log_lines_are_on_standard_error(local_stack: LocalStack, capsys: pytest.CaptureFixture[str]) -> None:
    """Where pytest shows them for a test that failed."""
    local_stack.run(orders, LOCAL, run_id="logged")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert ("logged", "load", "loading") in [(line["run"], line["step"], line["message"]) for line in lines]


@solid(compute=Compute(timeout_s=1))
def sleepy() -> int:
    """Takes longer than it may."""
    import time

    time.sleep(2)
    return 1


@pipeline
def slow_pipeline() -> None:
    """One step."""
    sleepy()


def test_time_limits_hold(local_stack: LocalStack) -> None:
    """A step that takes too long fails as it would on Lambda."""
    result = local_stack.run(slow_pipeline, raise_on_error=False)
    assert result.result_for_solid("sleepy").summary.status == "not reached"
    failed = [one for one in local_stack.history(result.summary.execution) if one["type"] == "LambdaFunctionFailed"]
    assert [one["lambdaFunctionFailedEventDetails"]["error"] for one in failed][:1] == ["Sandbox.Timedout"]


def test_a_run_that_goes_on_is_stopped_with_its_test(local_stack_account: Account) -> None:
    """Waiting has an end, and the next test finds nothing running."""
    with stack_of(local_stack_account) as stack:
        execution = stack.start(slow_pipeline)
        with pytest.raises(EngineError, match=r"was expected to end within 0.1 s, but it still runs\.$"):
            stack.result(execution, timeout_s=0.1)
    assert local_stack_account.aws.describe(execution)["status"] == "ABORTED"


def test_records_are_in_the_bucket(local_stack: LocalStack) -> None:
    """As on AWS, under the same keys."""
    result = local_stack.run(orders, LOCAL)
    assert local_stack.store.exists(keys.commit("orders", "total", result.run_id))
    head = local_stack.s3.head_object(Bucket=local_stack.bucket, Key=keys.run_summary("orders", result.run_id))
    assert head["ContentLength"] > 0
