"""The table of actions that know no resources agrees with what AWS publishes."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from solidstate.planner.unscoped_actions import _ACTIONS, is_unscoped


@pytest.mark.parametrize("action", ["s3:ListAllMyBuckets", "S3:listallmybuckets".lower(), "cloudwatch:PutMetricData"])
def test_known(action: str) -> None:
    """In any spelling, as IAM has it."""
    assert is_unscoped(action)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3", "nothing:AtAll", "dynamodb:GetItem"])
def test_not_known(action: str) -> None:
    """Everything else works on resources, as far as we know."""
    assert not is_unscoped(action)


WORK_WITHOUT = {
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "cloudwatch:PutMetricData",
    "comprehend:DetectEntities",
    "polly:SynthesizeSpeech",
    "translate:TranslateText",
}
"""Actions that know resources and are used without any: metrics of a namespace, models and lexicons of AWS's own."""


def test_the_table_is_aws_s() -> None:
    """Each action is one that the Service Authorization Reference, as cfn-lint has it, lists without resources."""
    published: dict[str, Any] = json.loads((files("cfnlint.data.AdditionalSpecs") / "Policies.json").read_text())
    wrong = []
    for service, names in _ACTIONS.items():
        for name in names.split():
            found = published[service]["Actions"].get(name.lower())
            if (found is None or found.get("Resources")) and f"{service}:{name}" not in WORK_WITHOUT:
                wrong.append(f"{service}:{name}")
    assert wrong == []
