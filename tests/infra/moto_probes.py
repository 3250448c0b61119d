"""What moto does in the cases the repairs are about, as data: run as a script, ``stock`` or ``repaired``, prints JSON.

A process of its own, because repairs stay for the life of a process. ``test_moto_repairs.py`` holds the expectations.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import sys
import threading
import time
from typing import Any

if sys.argv[1:] == ["repaired"]:  # before the first import of the interpreter, which is one of the repairs
    from solidstate.infra.moto_repairs import apply_repairs

    apply_repairs()

from moto import mock_aws

from solidstate.infra.moto_inside import inside
from tests.infra.moto_probing import PASS, PROBES, client, ended, machine, probe, run, start

s3_models = inside("s3.models")
interpreter_utils = inside("stepfunctions.parser.utils")
boto_client = inside("stepfunctions.parser.asl.utils.boto_client")
execution = inside("stepfunctions.parser.backend.execution")
execution_worker = inside("stepfunctions.parser.backend.execution_worker")
Preprocessor = inside("stepfunctions.parser.asl.parse.preprocessor").Preprocessor


def outcome(state: dict[str, Any], document: Any = None) -> Any:
    """The output of one state as text, or its error name, or the exception that describing it raised."""
    try:
        described = run(state, document)
    except TypeError as error:
        return f"TypeError: {error}"
    return described.get("output", described.get("error"))


@probe
def cached_client() -> bool:
    """Two tasks of one service get one client."""
    return boto_client.boto_client_for("us-east-1", "s3") is boto_client.boto_client_for("us-east-1", "s3")


@probe
def definite_path() -> Any:
    """A path that names one value, through an index."""
    return outcome({"Type": "Pass", "InputPath": "$.l[0].b"}, {"l": [{"b": "x"}]})


@probe
def definite_path_into_text() -> Any:
    """An index into text, which has no members (right in stock moto; kept right)."""
    return [outcome({"Type": "Pass", "InputPath": path}, {"t": "text"}) for path in ("$.t[0]", "$.t.x", "$.none")]


@probe
def kept_threads() -> bool:
    """Thread objects are still referenced after the execution."""
    run({"Type": "Pass"})
    return len(interpreter_utils.TMP_THREADS) > 0


@probe
def start_time() -> Any:
    """The start time of the context object as an output."""
    found = outcome({"Type": "Pass", "Parameters": {"t.$": "$$.Execution.StartTime"}})
    return found if found.startswith("TypeError") else sorted(json.loads(found))


@probe
def no_choice() -> Any:
    """A Choice in which nothing matches."""
    rule = {"Variable": "$.x", "NumericEquals": 1, "Next": "B"}
    states = {"A": {"Type": "Choice", "Choices": [rule]}, "B": {"Type": "Pass", "End": True}}
    return ended(start({"StartAt": "A", "States": states}, {"x": 2}))["error"]


@probe
def poisoned_parser() -> str:
    """A good definition after one that failed half way through."""
    state = {"Type": "Pass", "QueryLanguage": "JSONPath", "End": True}
    with contextlib.suppress(Exception):
        machine({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}})
    try:
        machine({"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"a.$": "$.x"}, "End": True}}})
    except Exception:  # of any type: stock moto's own parser errors
        return "refused"
    else:
        return "accepted"
    finally:
        Preprocessor._query_language_per_scope.clear()


@probe
def status_before_output() -> list[str]:
    """The order in which status and output of a finished execution appear."""
    order: list[str] = []

    def noted(self: Any, name: str, value: Any) -> None:
        if name in ("exec_status", "output") and value is not None:
            order.append(f"{name}={getattr(value, 'value', value)}")
        object.__setattr__(self, name, value)

    execution.Execution.__setattr__ = noted
    try:
        run({"Type": "Pass", "Result": 1})
    finally:
        del execution.Execution.__setattr__
    return [entry for entry in order if "RUNNING" not in entry]


@probe
def start_execution_task() -> Any:
    """A state that starts another machine and waits for it."""
    arguments = {"StateMachineArn": machine(PASS), "Input": {"a": 1}}
    found = outcome(
        {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Parameters": arguments}
    )
    return found if not found.startswith("{") else json.loads(found)["Output"]


@probe
def put_object_task() -> Any:
    """A state that writes a JSON body to S3."""
    arguments = {"Bucket": "probes", "Key": "json", "Body": {"a": 1}}
    found = outcome({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:putObject", "Parameters": arguments})
    return "written" if found.startswith("{") else found


@probe
def get_object_task() -> Any:
    """A state that reads a body from S3."""
    client("s3").put_object(Bucket="probes", Key="text", Body=b"body")
    arguments = {"Bucket": "probes", "Key": "text"}
    found = outcome({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject", "Parameters": arguments})
    return json.loads(found)["Body"] if found.startswith("{") else found


@probe
def missing_object_task() -> Any:
    """The error name when the object is missing."""
    arguments = {"Bucket": "probes", "Key": "none"}
    return outcome({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObject", "Parameters": arguments})


@probe
def text_output() -> Any:
    """DescribeExecution of an execution whose output is text."""
    return outcome({"Type": "Pass", "Result": "text"})


@probe
def null_output() -> Any:
    """DescribeExecution of an execution whose output is null."""
    return outcome({"Type": "Pass", "InputPath": "$.n"}, {"n": None})


@probe
def timed_out_stop_date() -> bool:
    """DescribeExecution of an execution that timed out says when."""
    wait = {"Type": "Wait", "Seconds": 3, "End": True}
    return "stopDate" in ended(start({"StartAt": "A", "TimeoutSeconds": 1, "States": {"A": wait}}))


@probe
def two_unnamed_starts() -> Any:
    """Two executions of a machine, neither named."""
    sfn = client("stepfunctions")
    arn = machine(PASS)
    first = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    ended(first)
    try:
        second = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    except sfn.exceptions.ExecutionAlreadyExists:
        return "ExecutionAlreadyExists"
    return "two" if first != second else "one"


@probe
def same_name_twice() -> Any:
    """A second execution of the same name, after the first has ended (right in stock moto; kept right)."""
    sfn = client("stepfunctions")
    arn = machine(PASS)
    ended(sfn.start_execution(stateMachineArn=arn, name="same")["executionArn"])
    try:
        sfn.start_execution(stateMachineArn=arn, name="same")
    except sfn.exceptions.ExecutionAlreadyExists:
        return "ExecutionAlreadyExists"
    return "started"


@probe
def paged_history() -> Any:
    """The number of events on a page of two, whether there is a next page, and the first event from behind."""
    sfn = client("stepfunctions")
    arn = start(PASS)
    ended(arn)
    page = sfn.get_execution_history(executionArn=arn, maxResults=2)
    behind = sfn.get_execution_history(executionArn=arn, reverseOrder=True)["events"][0]["type"]
    return [len(page["events"]), "nextToken" in page, behind]


@probe
def task_failure_cause() -> Any:
    """Error and cause of an execution whose callback task was failed."""
    sfn, sqs = client("stepfunctions"), client("sqs")
    url = sqs.create_queue(QueueName="callbacks")["QueueUrl"]
    arguments = {"QueueUrl": url, "MessageBody": {"token.$": "$$.Task.Token"}}
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    task = {"Type": "Task", "Resource": resource, "Parameters": arguments, "End": True}
    arn = start({"StartAt": "A", "States": {"A": task}})
    while not (got := sqs.receive_message(QueueUrl=url).get("Messages")):
        time.sleep(0.01)
    sfn.send_task_failure(taskToken=json.loads(got[0]["Body"])["token"], error="Bad", cause="why")
    described = ended(arn)
    return [described.get("error"), described.get("cause")]


@probe
def stopped_error_and_cause() -> Any:
    """Status, error and cause of an execution that was stopped."""
    sfn = client("stepfunctions")
    arn = start({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60, "End": True}}})
    time.sleep(0.1)
    sfn.stop_execution(executionArn=arn, error="Enough", cause="asked")
    described = ended(arn)
    return [described["status"], described.get("error"), described.get("cause")]


@probe
def stopped_while_parsed() -> Any:
    """Stopping an execution whose definition is still being parsed."""
    worker, response = execution_worker.ExecutionWorker, inside("stepfunctions.responses").StepFunctionResponse
    parse, stop = worker._get_evaluation_entrypoint, response.stop_execution
    asked, parsed = threading.Event(), threading.Event()
    raised: list[str] = []

    def slow(self: Any) -> Any:
        parsed.wait(20)
        return parse(self)

    def noted(self: Any) -> Any:
        asked.set()
        return stop(self)

    def request() -> None:
        try:
            client("stepfunctions").stop_execution(executionArn=arn)
        except AttributeError as error:
            raised.append(f"AttributeError: {error}")

    worker._get_evaluation_entrypoint, response.stop_execution = slow, noted
    try:
        arn = start({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60, "End": True}}})
        stopping = threading.Thread(target=request)
        stopping.start()
        asked.wait(20)
        stopping.join(1.0)
        parsed.set()
        stopping.join()
        return raised[0] if raised else ended(arn)["status"]
    finally:
        worker._get_evaluation_entrypoint, response.stop_execution = parse, stop


@probe
def stopped_during_a_task() -> Any:
    """The status right after stopping an execution whose task is still at work."""
    put, entered, leave = s3_models.S3Backend.put_object, threading.Event(), threading.Event()

    def slow(*given: Any, **named: Any) -> Any:
        entered.set()
        leave.wait(10)
        return put(*given, **named)

    arguments = {"Bucket": "probes", "Key": "slow", "Body": "text"}
    resource = "arn:aws:states:::aws-sdk:s3:putObject"
    task = {"Type": "Task", "Resource": resource, "Parameters": arguments, "End": True}
    s3_models.S3Backend.put_object = slow
    arn = start({"StartAt": "A", "States": {"A": task}})
    try:
        entered.wait(10)
        client("stepfunctions").stop_execution(executionArn=arn)
        return client("stepfunctions").describe_execution(executionArn=arn)["status"]
    finally:
        leave.set()
        ended(arn)
        s3_models.S3Backend.put_object = put


def main() -> None:
    """Run every probe and print the answers."""
    logging.disable(logging.CRITICAL)
    importlib.import_module("tests.infra.moto_callback_probes")  # collects the probes of tasks that wait
    importlib.import_module("tests.infra.moto_storage_probes")  # and those of S3 and CloudFormation
    answers: dict[str, Any] = {"ec2_is_imported": "moto.ec2.models" in sys.modules}
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client("s3").create_bucket(Bucket="probes")
        for name, of in PROBES.items():
            answers[name] = of()
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
