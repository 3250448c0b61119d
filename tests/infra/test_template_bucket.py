"""The data bucket keeps what runs need for as long as they may be taken up again."""

from __future__ import annotations

from typing import Any

from solidstate.infra.template_bucket import REDRIVE_DAYS
from solidstate.storage import keys
from tests.infra.templates import template


def data() -> dict[str, Any]:
    found: dict[str, Any] = template("plain")["Resources"]["Data"]["Properties"]
    return found


def test_intermediates_expire_after_the_redrive_window() -> None:
    """Each kind under its prefix, after days that cannot be fewer than a redrive needs; commits and runs stay."""
    rules = {rule["Id"]: rule for rule in data()["LifecycleConfiguration"]["Rules"]}
    assert {rule["Prefix"] for rule in rules.values() if "Prefix" in rule} == {
        f"v1/{kind}/" for kind in ("data", "attempts", "ended", "parked")
    }
    assert all(rule["ExpirationInDays"] == {"Ref": "RetentionDays"} for rule in rules.values() if "Prefix" in rule)
    assert template("plain")["Parameters"]["RetentionDays"]["MinValue"] == REDRIVE_DAYS + 1 == 15
    assert rules["housekeeping"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_commits_can_only_be_created() -> None:
    """The denial is on the prefix that the code writes commits to."""
    (policy,) = (r for r in template("plain")["Resources"].values() if r["Type"] == "AWS::S3::BucketPolicy")
    denied = {one["Sid"]: one for one in policy["Properties"]["PolicyDocument"]["Statement"]}
    prefix = keys.commit("p", "s", "r").split("p/")[0]
    only_created = denied["CommitsAreCreatedNeverOverwritten"]
    assert only_created["Resource"] == {"Fn::Sub": "${Data.Arn}/" + prefix + "*"}
    assert only_created["Condition"] == {"Null": {"s3:if-none-match": "true"}}


def test_a_bucket_that_is_there_is_left_alone() -> None:
    """Bucket and bucket policy are made under one condition; everything else knows the bucket by its name."""
    resources = template("plain")["Resources"]
    conditional = {name for name, body in resources.items() if body.get("Condition") == "CreateBucket"}
    assert conditional == {"Data", "DataPolicy"}
    assert "Data" not in {
        name for name in resources if name not in conditional and "Ref': 'Data'}" in str(resources[name])
    }
    assert data()["BucketName"] == {"Ref": "DataBucket"}


def test_a_key_of_one_s_own() -> None:
    """With a key, the bucket uses it and functions may; without, S3 encrypts by itself."""
    (rule,) = data()["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == {"Fn::If": ["UseKmsKey", "aws:kms", "AES256"]}
    role = template("plain")["Resources"]["PlainStepFunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    (chosen,) = (one["Fn::If"] for one in role["Statement"] if "Fn::If" in one)
    assert chosen[0] == "UseKmsKey"
    assert chosen[1]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert chosen[1]["Resource"] == {"Ref": "KmsKeyArn"}
    assert chosen[2] == {"Ref": "AWS::NoValue"}
