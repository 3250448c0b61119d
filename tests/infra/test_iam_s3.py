"""Every S3 operation asks for the action that IAM knows it by."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate.infra.iam_s3 import asked_of_s3, place_of
from tests.infra.iam_requests import request_of

OBJECT = {"Bucket": "b", "Key": "k"}
PART = {**OBJECT, "UploadId": "u"}
CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("get_object", OBJECT, ["s3:GetObject"]),
    ("head_object", OBJECT, ["s3:GetObject"]),
    ("get_object", {**OBJECT, "VersionId": "v"}, ["s3:GetObjectVersion"]),
    ("put_object", {**OBJECT, "Body": b"x"}, ["s3:PutObject"]),
    ("delete_object", OBJECT, ["s3:DeleteObject"]),
    ("delete_object", {**OBJECT, "VersionId": "v"}, ["s3:DeleteObjectVersion"]),
    ("copy_object", {**OBJECT, "CopySource": {"Bucket": "from", "Key": "a b"}}, ["s3:PutObject", "s3:GetObject"]),
    ("create_multipart_upload", OBJECT, ["s3:PutObject"]),
    ("upload_part", {**PART, "PartNumber": 1, "Body": b"x"}, ["s3:PutObject"]),
    ("complete_multipart_upload", PART, ["s3:PutObject"]),
    ("abort_multipart_upload", PART, ["s3:AbortMultipartUpload"]),
    ("list_parts", PART, ["s3:ListMultipartUploadParts"]),
    ("get_object_tagging", OBJECT, ["s3:GetObjectTagging"]),
    ("put_object_tagging", {**OBJECT, "Tagging": {"TagSet": []}}, ["s3:PutObjectTagging"]),
    ("delete_object_tagging", OBJECT, ["s3:DeleteObjectTagging"]),
    ("get_object_acl", OBJECT, ["s3:GetObjectAcl"]),
    ("list_objects_v2", {"Bucket": "b"}, ["s3:ListBucket"]),
    ("list_objects", {"Bucket": "b"}, ["s3:ListBucket"]),
    ("head_bucket", {"Bucket": "b"}, ["s3:ListBucket"]),
    ("list_object_versions", {"Bucket": "b"}, ["s3:ListBucketVersions"]),
    ("list_multipart_uploads", {"Bucket": "b"}, ["s3:ListBucketMultipartUploads"]),
    ("get_bucket_location", {"Bucket": "b"}, ["s3:GetBucketLocation"]),
    ("get_bucket_policy", {"Bucket": "b"}, ["s3:GetBucketPolicy"]),
    ("put_bucket_policy", {"Bucket": "b", "Policy": "{}"}, ["s3:PutBucketPolicy"]),
    ("get_bucket_versioning", {"Bucket": "b"}, ["s3:GetBucketVersioning"]),
    ("create_bucket", {"Bucket": "b"}, ["s3:CreateBucket"]),
    ("delete_bucket", {"Bucket": "b"}, ["s3:DeleteBucket"]),
    (
        "delete_objects",
        {"Bucket": "b", "Delete": {"Objects": [{"Key": "a&b"}, {"Key": "c"}]}},
        ["s3:DeleteObject", "s3:DeleteObject"],
    ),
]


def asked(operation: str, parameters: dict[str, Any]) -> list[tuple[str, tuple[str, ...], dict[str, str]]]:
    request = request_of("s3", operation, **parameters)
    host = request.url.split("/")[2]
    return asked_of_s3(request.method, host, request.path, request.query, request)


@pytest.mark.parametrize(("operation", "parameters", "actions"), CASES, ids=[case[0] for case in CASES])
def test_the_action(operation: str, parameters: dict[str, Any], actions: list[str]) -> None:
    """As the S3 user guide lists them."""
    assert [action for action, _, _ in asked(operation, parameters)] == actions


def test_every_object_is_named() -> None:
    """Of a copy both ends, of many deletions each."""
    copied = asked("copy_object", {**OBJECT, "CopySource": {"Bucket": "from", "Key": "a b"}})
    assert [resources for _, resources, _ in copied] == [("arn:aws:s3:::b/k",), ("arn:aws:s3:::from/a b",)]
    deleted = asked("delete_objects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "a&b"}, {"Key": "c"}]}})
    assert [resources for _, resources, _ in deleted] == [("arn:aws:s3:::b/a&b",), ("arn:aws:s3:::b/c",)]


def test_a_listing_tells_its_prefix() -> None:
    """A condition key; of a listing without one it is empty."""
    assert asked("list_objects_v2", {"Bucket": "b", "Prefix": "v1/"})[0][2] == {"s3:prefix": "v1/"}
    assert asked("list_objects_v2", {"Bucket": "b"})[0][2] == {"s3:prefix": ""}


@pytest.mark.parametrize(
    ("host", "path", "place"),
    [
        ("b.s3.eu-west-1.amazonaws.com", "/a/k", ("b", "a/k")),
        ("my.b.s3.amazonaws.com", "/k", ("my.b", "k")),
        ("s3.eu-west-1.amazonaws.com", "/b/a/k", ("b", "a/k")),
        ("127.0.0.1:5000", "/b/a/k", ("b", "a/k")),
        ("127.0.0.1:5000", "/b", ("b", "")),
        ("127.0.0.1:5000", "/", ("", "")),
    ],
)
def test_bucket_and_key(host: str, path: str, place: tuple[str, str]) -> None:
    """In the path, or the bucket in the name of the host."""
    assert place_of(host, path) == place
