"""The roles and policies of a template: of functions what was derived for them, of machines what they call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from solidstate.infra.policies import BUCKET_ARN, TOKEN_ACTIONS, Statement
from solidstate.infra.stack import FunctionSpec, MachineSpec, PipelineSpec
from solidstate.infra.yaml_text import Note, Open, Tagged, get_att, ref, sub
from solidstate.storage import keys

VERSION = "2012-10-17"
_EXECUTIONS = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution"
_NESTED_RULE = (
    "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}"
    ":rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
)
_LOG_DELIVERY = [
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
]
_TRACES = [
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
]


def function_role(function: FunctionSpec) -> dict[Any, Any]:
    statements: list[Any] = [
        allow("WriteOwnLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], get_att(function.logs, "Arn"))
    ]
    for statement in function.policy.statements:
        if statement.why:
            statements.append(Note(statement.why))
        statements.append(_derived(statement))
    statements.append(_key_use(["kms:Decrypt", "kms:GenerateDataKey"]))
    return _role("lambda.amazonaws.com", statements)


def machine_role(machine: MachineSpec) -> dict[Any, Any]:
    aliases = [ref(f"{function}.Alias") for function in machine.functions.values()]
    statements: list[Any] = [allow("CallFunctions", ["lambda:InvokeFunction"], aliases)]
    if machine.parts:
        statements += _start_parts(list(machine.parts.values()))
    if machine.distributed:
        items = f"{BUCKET_ARN}/{keys.item_list_pattern(machine.pipeline)}"
        statements.append(allow("ReadItems", ["s3:GetObject"], sub(items)))
        statements.append(_key_use(["kms:Decrypt"]))
    statements.append(Note("What follows knows no resources (Service Authorization Reference)."))
    statements.append(allow("DeliverLogs", _LOG_DELIVERY, "*"))
    statements.append(allow("SendTraces", _TRACES, "*"))
    account = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    return _role("states.amazonaws.com", statements, account)


def token_policy(pipeline: PipelineSpec) -> dict[Any, Any] | None:
    """Answers to task tokens, for the functions that give them; apart from their roles, which the machines need."""
    answering = [function for function in pipeline.functions if function.policy.answers_tokens]
    if not answering:
        return None
    machines = [ref(machine.id) for machine in pipeline.machines]
    statement = allow("AnswerTaskTokens", list(TOKEN_ACTIONS), machines)
    return _attached("answer-task-tokens", [function.role for function in answering], [statement])


def map_run_policy(machine: MachineSpec) -> dict[Any, Any] | None:
    """A distributed Map starts executions of its own machine; apart from the role, which the machine needs."""
    if not machine.distributed:
        return None
    executions = [sub(f"{_EXECUTIONS}:${{{machine.id}.Name}}:*"), sub(f"{_EXECUTIONS}:${{{machine.id}.Name}}/*")]
    actions = ["states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"]
    statements = [
        allow("StartItems", ["states:StartExecution"], ref(machine.id)),
        allow("FollowItems", actions, executions),
    ]
    return _attached("run-items", [machine.role], statements)


def _start_parts(parts: Sequence[str]) -> list[Any]:
    executions = [sub(f"{_EXECUTIONS}:${{{part}.Name}}:*") for part in parts]
    rule = ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
    return [
        allow("StartParts", ["states:StartExecution"], [ref(part) for part in parts]),
        allow("FollowParts", ["states:DescribeExecution", "states:StopExecution"], executions),
        allow("HearOfTheirEnd", rule, sub(_NESTED_RULE)),
    ]


def _derived(statement: Statement) -> dict[str, Any]:
    conditions = {
        operator: {key: [sub(value) for value in values] for key, values in wanted.items()}
        for operator, wanted in statement.condition.items()
    }
    resources = [sub(resource) for resource in statement.resources]
    return allow(statement.name, list(statement.actions), resources if len(resources) > 1 else resources[0], conditions)


def allow(sid: str, actions: list[str], resources: Any, condition: dict[str, Any] | None = None) -> dict[Any, Any]:
    statement: dict[Any, Any] = Open(Sid=sid, Effect="Allow", Action=actions if len(actions) > 1 else actions[0])
    statement["Resource"] = resources
    if condition:
        statement["Condition"] = condition
    return statement


def _key_use(actions: list[str]) -> Tagged:
    """A statement that is there when the stack has a key of its own."""
    return Tagged("If", ["UseKmsKey", allow("UseKey", actions, ref("KmsKeyArn")), ref("AWS::NoValue")])


def _role(service: str, statements: list[Any], condition: dict[str, Any] | None = None) -> dict[Any, Any]:
    trust: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if condition:
        trust["Condition"] = condition
    return Open(
        Type="AWS::IAM::Role",
        Properties=Open(
            AssumeRolePolicyDocument=Open(Version=VERSION, Statement=[Open(trust)]),
            Policies=[Open(PolicyName="derived", PolicyDocument=_document(statements))],
        ),
    )


def _attached(name: str, roles: list[str], statements: list[Any]) -> dict[Any, Any]:
    return Open(
        Type="AWS::IAM::Policy",
        Properties=Open(PolicyName=name, Roles=[ref(role) for role in roles], PolicyDocument=_document(statements)),
    )


def _document(statements: list[Any]) -> dict[Any, Any]:
    return Open(Version=VERSION, Statement=statements)
