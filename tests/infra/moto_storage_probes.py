"""Probes of moto's S3 and CloudFormation; imported by ``moto_probes.py``, which runs them all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from solidstate.infra.moto_inside import inside
from tests.infra.moto_probing import ROLE, client, ended, probe

s3_models = inside("s3.models")
notifications = inside("s3.notifications")


def winners(attempts: list[Callable[[], Any]]) -> int:
    """How many of the attempts, made at the same time, succeed, when storing an object takes a while."""
    put = s3_models.S3Backend.put_object

    def slow(*given: Any, **named: Any) -> Any:
        time.sleep(0.2)
        return put(*given, **named)

    won: list[int] = []

    def attempt(of: Callable[[], Any]) -> None:
        try:
            of()
        except Exception:  # who loses may be told in any way; winners are counted
            return
        won.append(1)

    s3_models.S3Backend.put_object = slow
    try:
        threads = [threading.Thread(target=attempt, args=(of,)) for of in attempts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        s3_models.S3Backend.put_object = put
    return len(won)


@probe
def conditional_put_winners() -> int:
    """How many of two writers create the same object."""
    s3 = client("s3")

    def write() -> None:
        s3.put_object(Bucket="probes", Key="raced", Body=b"1", IfNoneMatch="*")

    return winners([write, write])


@probe
def conditional_multipart_winners() -> int:
    """How many of two multipart uploads create the same object."""
    s3 = client("s3")

    def prepared() -> Callable[[], Any]:
        at = {"Bucket": "probes", "Key": "parts"}
        upload = s3.create_multipart_upload(**at)["UploadId"]
        tag = s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=b"1")["ETag"]
        parts = {"Parts": [{"ETag": tag, "PartNumber": 1}]}
        return lambda: s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload=parts, IfNoneMatch="*")

    return winners([prepared(), prepared()])


@probe
def notified_in_the_request() -> bool:
    """The notification of an object runs in the thread that writes it."""
    s3, sqs = client("s3"), client("sqs")
    queue = sqs.create_queue(QueueName="notified")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket="notifying")
    wanted = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="notifying", NotificationConfiguration=wanted)
    seen: list[threading.Thread] = []

    def noted(*_: object) -> None:
        seen.append(threading.current_thread())

    send = notifications._send_sqs_message
    notifications._send_sqs_message = noted
    try:
        s3.put_object(Bucket="notifying", Key="k", Body=b"")
        while not seen:
            time.sleep(0.01)
    finally:
        notifications._send_sqs_message = send
    return seen[-1] is threading.current_thread()


def stack_output(name: str, properties: dict[str, Any]) -> Any:
    """Deploy a machine of the properties by CloudFormation and run it; gives its output."""
    properties = {"StateMachineName": name, "RoleArn": ROLE, **properties}
    template = {
        "Resources": {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["M", "Arn"]}}},
    }
    formation, sfn = client("cloudformation"), client("stepfunctions")
    try:
        formation.create_stack(StackName=name, TemplateBody=json.dumps(template))
        arn = formation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"][0]["OutputValue"]
        started = sfn.start_execution(stateMachineArn=arn, name="run")["executionArn"]
        output = json.loads(ended(started)["output"])
        formation.delete_stack(StackName=name)
        left = [m for m in sfn.list_state_machines()["stateMachines"] if m["name"] == name]
    except Exception as error:
        return type(error).__name__
    return [output, len(left)]


def said(text: str) -> dict[str, Any]:
    """A machine that answers the text."""
    return {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": text, "End": True}}}


@probe
def stack_with_text() -> Any:
    """A stack's machine given as DefinitionString with substitutions."""
    properties = {"DefinitionString": json.dumps(said("${Word}")), "DefinitionSubstitutions": {"Word": "hello"}}
    return stack_output("by-text", properties)


@probe
def stack_with_object() -> Any:
    """A stack's machine given as an object in S3."""
    client("s3").put_object(Bucket="probes", Key="machine.json", Body=json.dumps(said("stored")).encode())
    return stack_output("by-object", {"DefinitionS3Location": {"Bucket": "probes", "Key": "machine.json"}})


@probe
def stack_with_aliases() -> Any:
    """What the transform of SAM adds to a function and a machine, and a bucket policy with a condition."""
    ref, resources = "Ref", dict[str, Any]()
    role: dict[str, Any] = {"AssumeRolePolicyDocument": {}}
    live = {"Name": "live"}
    version = {"FunctionVersion": {"Fn::GetAtt": ["V", "Version"]}}
    revision = {"StateMachineRevisionId": {"Fn::GetAtt": ["M", "StateMachineRevisionId"]}}
    deployed = {"DeploymentPreference": {"StateMachineVersionArn": {ref: "MV"}}}
    code = {"Code": {"ZipFile": "x"}, "Handler": "x.y", "Runtime": "python3.12", "Role": {"Fn::GetAtt": ["R", "Arn"]}}
    machine_of = {"RoleArn": ROLE, "DefinitionString": json.dumps(said("x"))}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::policed/*"}
    deny["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}  # type: ignore[assignment]  # a statement has both
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("R", "AWS::IAM::Role", role),
        ("F", "AWS::Lambda::Function", {**code, "FunctionName": "stacked"}),
        ("V", "AWS::Lambda::Version", {"FunctionName": {ref: "F"}}),
        ("A", "AWS::Lambda::Alias", {**live, **version, "FunctionName": {ref: "F"}}),
        ("M", "AWS::StepFunctions::StateMachine", {"StateMachineName": "aliased", **machine_of}),
        ("MV", "AWS::StepFunctions::StateMachineVersion", {**revision, "StateMachineArn": {ref: "M"}}),
        ("MA", "AWS::StepFunctions::StateMachineAlias", {**live, **deployed}),
        ("B", "AWS::S3::Bucket", {"BucketName": "policed"}),
        ("P", "AWS::S3::BucketPolicy", {"Bucket": {ref: "B"}, "PolicyDocument": {"Statement": [deny]}}),
    ]
    for name, kind, properties in kinds:
        resources[name] = {"Type": kind, "Properties": properties}
    template = {"Resources": resources, "Outputs": {name: {"Value": {ref: name}} for name in ("A", "MA")}}
    formation = client("cloudformation")
    try:
        formation.create_stack(StackName="aliases", TemplateBody=json.dumps(template))
        outputs = formation.describe_stacks(StackName="aliases")["Stacks"][0]["Outputs"]
        client("s3").put_object(Bucket="policed", Key="k", Body=b"")
        aliased = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "MA")
        client("stepfunctions").start_execution(stateMachineArn=aliased, name="by-alias")
        told = client("lambda").get_alias(FunctionName="stacked", Name="live")["FunctionVersion"]
    except Exception as error:
        return type(error).__name__
    return [*sorted(output["OutputValue"].rpartition(":live")[0].rpartition(":")[2] for output in outputs), told]
