"""Where a pipeline is deployed: by stack, machine, bucket or samconfig.toml, and what is said when it is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from solidstate.errors import EngineError, SolidstateError
from solidstate.infra.deployed import Deployed, Place, find_deployed
from solidstate.planner.build import build_plan
from solidstate.planner.plan import plan_hash
from tests.infra import histories
from tests.stacks import Stack, deployed


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with deployed("places", [histories.killed, histories.mapped]) as found:
        yield found


def find(folder: Path, **place: object) -> Deployed:
    return find_deployed(msgspec.convert(place, Place), folder)


def refusal(folder: Path, **place: object) -> str:
    with pytest.raises(SolidstateError) as caught:
        find(folder, **place)
    return str(caught.value)


def test_a_stack_has_a_machine_for_each_pipeline(stack: Stack, tmp_path: Path) -> None:
    """With pipeline, plan and function as the machine's first state names them; the bucket is the function's."""
    found = find(tmp_path, stack="places")
    assert {one.pipeline: one.arn.whole for one in found.machines} == stack.machines
    killed = found.machine_of("killed")
    assert killed.plan == plan_hash(build_plan(histories.killed))
    assert killed.function.startswith("arn:aws:lambda:us-east-1:123456789012:function:")
    assert sorted(killed.steps) == ["after", "broken", "busy", "endless", "fine", "greedy"]
    assert sorted(found.machine_of("mapped").steps) == ["each", "few"]
    assert (found.name, repr(found.store)) == ("places", "S3Store('s3://places-data/')")


def test_a_machine_is_enough(stack: Stack, tmp_path: Path) -> None:
    """With an alias, which it is then started by."""
    arn = stack.machines["mapped"]
    found = find(tmp_path, machine=f"{arn}:live")
    assert [(one.pipeline, one.arn.whole) for one in found.machines] == [("mapped", f"{arn}:live")]
    assert found.account.region == "us-east-1"
    assert repr(found.store) == "S3Store('s3://places-data/')"


def test_a_bucket_needs_no_machine(tmp_path: Path) -> None:
    """And is believed where both are named."""
    found = find(tmp_path, bucket="b")
    assert (found.machines, found.name, repr(found.store)) == ([], "s3://b", "S3Store('s3://b/')")


def test_the_bucket_that_is_named_is_taken(stack: Stack, tmp_path: Path) -> None:
    """Whatever the function is told."""
    assert repr(find(tmp_path, stack="places", bucket="other").store) == "S3Store('s3://other/')"


def test_samconfig_names_the_stack(stack: Stack, tmp_path: Path) -> None:
    """Its region too, unless another is given."""
    (tmp_path / "samconfig.toml").write_text(
        '[default.deploy.parameters]\nstack_name = "places"\nregion = "us-east-1"\n'
        '[gone.deploy.parameters]\nstack_name = "gone"\n'
    )
    found = find(tmp_path, deployed=True)
    assert (found.name, found.account.region, len(found.machines)) == ("places", "us-east-1", 2)
    assert refusal(tmp_path, deployed=True, region="eu-west-1").startswith("There is no stack `places`: ")
    assert refusal(tmp_path, deployed=True, config_env="gone").startswith("There is no stack `gone`: ")


def test_options_lead_back_here() -> None:
    """For commands that are suggested."""
    assert Place(deployed=True).options == " --deployed"
    assert Place(deployed=True, config_env="prod").options == " --config-env prod"
    assert Place(deployed=True, stack="a b", region="r").options == " --stack 'a b' --region r"
    assert Place(bucket="b", endpoint_url="http://x").options == " --bucket b --endpoint-url http://x"
    assert not Place(region="r").given


def test_what_is_not_there_is_said(stack: Stack, tmp_path: Path) -> None:
    """Stacks, machines, pipelines, machines of something else."""
    assert refusal(tmp_path, stack="plaecs") == (
        "There is no stack `plaecs`: Stack with id plaecs does not exist.\n"
        "  fix: check the name, the region and the profile; `sam list stack-outputs` or the console shows stacks"
    )
    assert refusal(tmp_path, stack="a", machine="b") == (
        "`--stack` and `--machine` both say which state machine is meant.\n  fix: leave the one or the other out"
    )
    other = stack.aws.create_machine("other", '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}')
    assert refusal(tmp_path, machine=other) == (
        "The state machine `other` runs no pipeline of solidstate.\n"
        "  fix: name the machine whose first state is `Start run`"
    )
    stack.aws.client("cloudformation").create_stack(
        StackName="empty", TemplateBody='{"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}'
    )
    assert refusal(tmp_path, stack="empty") == (
        "The stack `empty` has no state machine of a pipeline.\n"
        "  fix: deploy it with the generated template.yaml, or name another stack"
    )


def test_one_pipeline_is_chosen(stack: Stack, tmp_path: Path) -> None:
    """The only one, or the one that is named."""
    found = find(tmp_path, stack="places")
    with pytest.raises(SolidstateError) as several:
        found.machine_of(None)
    assert str(several.value) == (
        "The stack has 2 pipelines: `killed`, `mapped`.\n  fix: choose one with `--pipeline killed`"
    )
    with pytest.raises(SolidstateError) as unknown:
        found.machine_of("maped")
    assert str(unknown.value) == (
        "Pipeline `maped` is not deployed here; found `killed`, `mapped`.\n  fix: did you mean `mapped`?"
    )
    assert find(tmp_path, machine=stack.machines["mapped"]).machine_of(None).pipeline == "mapped"


def test_a_function_may_be_called_by_an_alias(stack: Stack, tmp_path: Path) -> None:
    """As the generated template has it."""
    function = find(tmp_path, stack="places").machine_of("killed").function
    first = {"Type": "Task", "Resource": f"{function}:live", "Parameters": {"kind": "start", "pipeline": "p"}}
    text = msgspec.json.encode({"StartAt": "S", "States": {"S": first | {"End": True}}}).decode()
    found = find(tmp_path, machine=stack.aws.create_machine("by-alias", text))
    assert (found.machines[0].function, repr(found.store)) == (f"{function}:live", "S3Store('s3://places-data/')")


def test_a_function_that_is_told_no_bucket(stack: Stack, tmp_path: Path) -> None:
    """Then it must be named."""
    function = stack.aws.create_function("bare", 3, 128)
    first = {"Type": "Task", "Resource": function, "Parameters": {"kind": "start", "pipeline": "p", "plan": "x"}}
    text = msgspec.json.encode({"StartAt": "S", "States": {"S": first | {"End": True}}}).decode()
    found = find(tmp_path, machine=stack.aws.create_machine("bare", text))
    with pytest.raises(EngineError) as caught:
        _ = found.store
    assert str(caught.value) == (
        "The function of the state machine `bare` is not told its bucket: the variable `SOLIDSTATE_BUCKET` is not "
        "set.\n  fix: name the bucket with `--bucket NAME`"
    )
    stack.aws.client("lambda").delete_function(FunctionName="bare")
    with pytest.raises(EngineError, match=r"^The function of the state machine `bare` was not found: "):
        _ = find(tmp_path, machine=found.machines[0].arn.bare).store
