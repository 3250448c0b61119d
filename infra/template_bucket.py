"""The data bucket of a template: closed, encrypted, versioned, tidied up after the days in which runs can be taken up
again, and kept when the stack is deleted."""

from __future__ import annotations

from typing import Any

from solidstate.infra.yaml_text import Note, Open, Tagged, get_att, ref, sub
from solidstate.storage import keys

REDRIVE_DAYS = 14
"""For so long can a failed execution be redriven (Step Functions developer guide), and needs its intermediates."""
_OLD_VERSIONS_DAYS = 7


def bucket_resources(tags: list[Any]) -> dict[Any, Any]:
    return {
        Note("Where commits, intermediates and events are kept. Deleting the stack leaves it."): None,
        "Data": Open(
            Type="AWS::S3::Bucket",
            Condition="CreateBucket",
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
            Properties=Open(
                BucketName=ref("DataBucket"),
                BucketEncryption=Open(ServerSideEncryptionConfiguration=[_encryption()]),
                OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                PublicAccessBlockConfiguration=Open(
                    BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
                ),
                VersioningConfiguration={"Status": "Enabled"},
                LifecycleConfiguration=Open(Rules=_lifecycle()),
                Tags=tags,
            ),
        ),
        Note(""): None,
        "DataPolicy": Open(
            Type="AWS::S3::BucketPolicy",
            Condition="CreateBucket",
            Properties=Open(
                Bucket=ref("Data"),
                PolicyDocument=Open(Version="2012-10-17", Statement=_denials()),
            ),
        ),
    }


def _encryption() -> dict[Any, Any]:
    kind = Tagged("If", ["UseKmsKey", "aws:kms", "AES256"])
    key = Tagged("If", ["UseKmsKey", ref("KmsKeyArn"), ref("AWS::NoValue")])
    return Open(BucketKeyEnabled=True, ServerSideEncryptionByDefault=Open(SSEAlgorithm=kind, KMSMasterKeyID=key))


def _lifecycle() -> list[Any]:
    rules: list[Any] = [
        Note(f"A failed execution can be redriven for {REDRIVE_DAYS} days and needs its intermediates.")
    ]
    rules += [
        Open(Id=kind, Status="Enabled", Prefix=f"{keys.ROOT}/{kind}/", ExpirationInDays=ref("RetentionDays"))
        for kind in keys.EXPIRING
    ]
    rules.append(
        Open(
            Id="housekeeping",
            Status="Enabled",
            NoncurrentVersionExpiration={"NoncurrentDays": _OLD_VERSIONS_DAYS},
            AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1},
        )
    )
    return rules


def _denials() -> list[Any]:
    everything = [get_att("Data", "Arn"), sub("${Data.Arn}/*")]
    return [
        Open(
            Sid="TlsOnly",
            Effect="Deny",
            Principal="*",
            Action="s3:*",
            Resource=everything,
            Condition={"Bool": {"aws:SecureTransport": "false"}},
        ),
        Open(
            Sid="CommitsAreCreatedNeverOverwritten",
            Effect="Deny",
            Principal="*",
            Action="s3:PutObject",
            Resource=sub(f"${{Data.Arn}}/{keys.ROOT}/commits/*"),
            Condition={"Null": {"s3:if-none-match": "true"}},
        ),
    ]
