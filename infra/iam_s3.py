"""S3 requests as IAM actions (S3 user guide, "Required permissions for Amazon S3 API operations")."""

from __future__ import annotations

import re
from typing import Any, Protocol
from urllib.parse import unquote

_Found = tuple[str, tuple[str, ...], dict[str, str]]
_VIRTUAL = re.compile(r"(.+)\.s3[.-][^/]*$")

_OBJECT_PARTS = {
    "acl": ("GetObjectAcl", "PutObjectAcl", ""),
    "tagging": ("GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"),
    "retention": ("GetObjectRetention", "PutObjectRetention", ""),
    "legal-hold": ("GetObjectLegalHold", "PutObjectLegalHold", ""),
    "attributes": ("GetObjectAttributes", "", ""),
}
"""By the query: the actions of GET, PUT and DELETE on an object."""
_BUCKET_PARTS = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "logging": "BucketLogging",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
"""By the query: what of a bucket is got, put or deleted."""


class _Body(Protocol):
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def body(self) -> bytes: ...


def asked_of_s3(method: str, host: str, path: str, query: dict[str, str], request: _Body) -> list[_Found]:
    """(action, resources, condition keys) of everything a request asks for."""
    bucket, key = place_of(host, path)
    if not bucket:
        return [("s3:ListAllMyBuckets", ("*",), {})]
    arn = f"arn:aws:s3:::{bucket}"
    if not key:
        return _of_bucket(method, query, arn, request.body)
    found: list[_Found] = [(f"s3:{_object_action(method, query)}", (f"{arn}/{key}",), {})]
    source = unquote(request.headers.get("x-amz-copy-source", "")).lstrip("/").partition("?")[0]
    if source:
        found.append(("s3:GetObject", (f"arn:aws:s3:::{source}",), {}))
    return found


def place_of(host: str, path: str) -> tuple[str, str]:
    """(bucket, key) of a request: by its path, or by its host and path."""
    virtual = _VIRTUAL.match(host)
    if virtual:
        return virtual[1], path.lstrip("/")
    bucket, _, key = path.lstrip("/").partition("/")
    return bucket, key


def _object_action(method: str, query: dict[str, str]) -> str:
    for part, (read, written, deleted) in _OBJECT_PARTS.items():
        if part in query:
            return {"GET": read, "HEAD": read, "PUT": written, "DELETE": deleted}.get(method, written) or "GetObject"
    version = "Version" if "versionId" in query else ""
    if method in ("GET", "HEAD"):
        return "ListMultipartUploadParts" if "uploadId" in query else f"GetObject{version}"
    if method == "DELETE":
        return "AbortMultipartUpload" if "uploadId" in query else f"DeleteObject{version}"
    return "RestoreObject" if "restore" in query else "PutObject"


def _of_bucket(method: str, query: dict[str, str], arn: str, body: bytes) -> list[_Found]:
    if method == "POST" and "delete" in query:
        keys = re.findall(rb"<Key>(.*?)</Key>", body, re.DOTALL)
        return [("s3:DeleteObject", (f"{arn}/{_unescaped(key)}",), {}) for key in keys]
    if "uploads" in query:
        return [("s3:ListBucketMultipartUploads", (arn,), {})]
    if "versions" in query:
        return [("s3:ListBucketVersions", (arn,), _prefix(query))]
    if "location" in query:
        return [("s3:GetBucketLocation", (arn,), {})]
    for part, name in _BUCKET_PARTS.items():
        if part in query:
            verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}.get(method, "Put")
            return [(f"s3:{verb}{name}", (arn,), {})]
    action = {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(method, "ListBucket")
    return [(f"s3:{action}", (arn,), _prefix(query) if action == "ListBucket" and method == "GET" else {})]


def _prefix(query: dict[str, str]) -> dict[str, str]:
    return {"s3:prefix": query.get("prefix", "")}


def _unescaped(text: bytes) -> str:
    import html

    return html.unescape(text.decode("utf-8", "replace"))


def is_missing(bucket: str, key: str, backends: Any) -> bool:
    """Whether moto holds no object there. S3 says so only to those who may list the bucket."""
    found = backends.buckets.get(bucket)
    return found is not None and key not in found.keys
