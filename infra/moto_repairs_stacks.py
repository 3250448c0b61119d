"""Repairs for stacks that a SAM template makes: kinds of resources that moto's CloudFormation does not know, and
machines by the aliases that these are."""

from __future__ import annotations

from typing import Any

from solidstate.infra.moto_inside import inside, swap

_MADE: list[type] = []
"""moto finds models as subclasses, which are kept in memory by nobody else."""


def sam_resources() -> None:
    """``AWS::Lambda::Alias``, ``AWS::StepFunctions::StateMachineVersion`` and ``StateMachineAlias`` are skipped with a
    warning, so that what refers to them is deployed with a hole; ``!GetAtt Version.Version`` is unknown.

    ``AWS::S3::BucketPolicy`` is taken and not applied: moto would deny everything by it, since it knows no conditions.
    """
    model = inside("core.common_models").CloudFormationModel
    backends = inside("awslambda.models").lambda_backends

    class Named:
        """What ``!Ref`` gives, and nothing else."""

        def __init__(self, name: str) -> None:
            self.physical_resource_id = name

    def named(kind: str, create: Any, delete: Any = lambda *_: None) -> None:
        """A model of resources of this type: ``create`` gives what ``!Ref`` stands for."""

        class Model(Named, model):  # type: ignore[misc, valid-type]  # moto's class is looked up by name
            @staticmethod
            def cloudformation_name_type() -> str:
                return ""

            @staticmethod
            def cloudformation_type() -> str:
                return kind

            @classmethod
            def has_cfn_attr(cls, attr: str) -> bool:
                return attr == "Arn"

            @classmethod
            def create_from_cloudformation_json(
                cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
            ) -> Any:
                return cls(create(cloudformation_json["Properties"], account_id, region_name))

            @classmethod
            def update_from_cloudformation_json(
                cls, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account: str, region: str
            ) -> Any:
                delete(original_resource.physical_resource_id, account, region)
                return cls(create(cloudformation_json["Properties"], account, region))

            @classmethod
            def delete_from_cloudformation_json(
                cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
            ) -> None:
                delete(resource_name, account_id, region_name)

        _MADE.append(Model)

    def alias(properties: dict[str, Any], account: str, region: str) -> str:
        backend = backends[account][region]
        made = backend.create_alias(
            properties["Name"],
            properties["FunctionName"],
            str(properties["FunctionVersion"]),
            properties.get("Description", ""),
            properties.get("RoutingConfig", ""),
        )
        return str(made.arn)

    def remove_alias(arn: str, account: str, region: str) -> None:
        function, _, name = arn.rpartition(":")
        backends[account][region].delete_alias(name, function.rpartition(":")[2])

    def machine_alias(properties: dict[str, Any], _: str, __: str) -> str:
        version = properties.get("DeploymentPreference", {}).get("StateMachineVersionArn", "")
        return f"{str(version).rpartition(':')[0]}:{properties.get('Name', '')}"

    named("AWS::Lambda::Alias", alias, remove_alias)
    named("AWS::StepFunctions::StateMachineVersion", lambda given, *_: f"{given['StateMachineArn']}:1")
    named("AWS::StepFunctions::StateMachineAlias", machine_alias)
    named("AWS::S3::BucketPolicy", lambda given, *_: str(given["Bucket"]))

    version = inside("awslambda.models").LambdaVersion
    version.has_cfn_attr = classmethod(lambda _, attr: attr == "Version")
    version.get_cfn_attribute = lambda self, _: str(self.version)
    swap(version, "__repr__", lambda self: f"version {self.version}")


def aliased_machines() -> None:
    """A machine that is asked for or started by the ARN of an alias does not exist; AWS takes the alias's version."""
    models = inside("stepfunctions.models")
    unknown = inside("stepfunctions.exceptions").StateMachineDoesNotExist

    def describe(self: Any, arn: str) -> Any:
        try:
            return original(self, arn)
        except unknown:
            bare, _, qualifier = arn.rpartition(":")
            if arn.count(":") != 7 or qualifier.isnumeric():
                raise
            return original(self, bare)

    original = swap(models.StepFunctionBackend, "describe_state_machine", describe)
