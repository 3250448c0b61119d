"""Repair of moto's CloudFormation: state machines of a stack must be the ones that can be run."""

from __future__ import annotations

import json
from typing import Any

from solidstate.errors import EngineError
from solidstate.infra.moto_inside import inside, swap


def state_machines() -> None:
    """CloudFormation makes ``AWS::StepFunctions::StateMachine`` in the backend that does not execute, so starting it
    says StateMachineDoesNotExist; it ignores Definition, DefinitionS3Location, DefinitionSubstitutions and
    StateMachineType, and ``!GetAtt`` of ``Arn`` and ``StateMachineRevisionId`` is unknown."""
    models = inside("stepfunctions.models")
    to_tags = inside("stepfunctions.utils").cfn_to_api_tags
    backend = inside("stepfunctions.responses").get_backend
    machine = models.StateMachine

    def create(
        cls: Any, /, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **named: Any
    ) -> Any:
        properties = cloudformation_json["Properties"]
        return backend(account_id, region_name).create_state_machine(
            properties.get("StateMachineName", resource_name),
            definition_text(properties, account_id),
            properties.get("RoleArn", ""),
            tags=to_tags(properties.get("Tags", [])),
            sm_type=properties.get("StateMachineType"),
        )

    def delete(cls: Any, /, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> None:
        backend(account_id, region_name).delete_state_machine(resource_name)

    def update(
        cls: Any,
        /,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Any:
        properties = cloudformation_json.get("Properties", {})
        if properties.get("StateMachineName", original_resource.name) != original_resource.name:
            made = create(cls, new_resource_name, cloudformation_json, account_id, region_name)
            delete(cls, original_resource.arn, cloudformation_json, account_id, region_name)
            return made
        return backend(account_id, region_name).update_state_machine(
            original_resource.arn,
            definition=definition_text(properties, account_id),
            role_arn=properties.get("RoleArn"),
        )

    def has_attribute(cls: Any, /, attr: str) -> bool:
        return attr in ("Arn", "StateMachineRevisionId") or has_original(attr)

    def get_attribute(self: Any, attribute_name: str) -> Any:
        if attribute_name == "StateMachineRevisionId":
            return "INITIAL"
        return self.arn if attribute_name == "Arn" else get_original(self, attribute_name)

    swap(machine, "create_from_cloudformation_json", classmethod(create))
    swap(machine, "delete_from_cloudformation_json", classmethod(delete))
    swap(machine, "update_from_cloudformation_json", classmethod(update))
    has_original = swap(machine, "has_cfn_attr", classmethod(has_attribute))
    get_original = swap(machine, "get_cfn_attribute", get_attribute)


def definition_text(properties: dict[str, Any], account_id: str) -> str:
    """The definition a resource's properties give, from whichever of the three places, with its substitutions made.

    ``EngineError`` when they give none.
    """
    text = properties.get("DefinitionString")
    if text is None and "Definition" in properties:
        text = properties["Definition"]
    if text is None and "DefinitionS3Location" in properties:
        place = properties["DefinitionS3Location"]
        found = inside("s3.models").s3_backends[account_id]["aws"].get_object(place["Bucket"], place["Key"])
        text = None if found is None else found.value.decode()
    if text is None:
        raise EngineError(
            "A state machine of the stack has no definition: expected `DefinitionString`, `Definition` or "
            "`DefinitionS3Location` of an object that exists.",
            hint="rebuild the bundle, which uploads the definition",
        )
    if not isinstance(text, str):
        text = json.dumps(text)
    substitutions: dict[str, Any] = properties.get("DefinitionSubstitutions") or {}
    for name, value in substitutions.items():
        text = text.replace(f"${{{name}}}", str(value))
    return str(text)
