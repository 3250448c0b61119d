"""Which client a deployed function reaches S3 with: obstore where it is installed and knows everything that is asked of
it, else boto3.

SOLIDSTATE_S3   ``obstore`` or ``boto3``, to have no choice made
"""

from __future__ import annotations

import importlib
import os

from solidstate.errors import SolidstateError, closest, shown
from solidstate.storage import s3_settings
from solidstate.storage.store import ObjectStore

VARIABLE = "SOLIDSTATE_S3"
CLIENTS = ("obstore", "boto3")

_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_BOTO3_ALONE = (
    "AWS_CA_BUNDLE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
)
_OTHER_DOMAINS = ("cn-", "us-iso", "eu-iso", "eusc-")


def bucket_store(bucket: str) -> ObjectStore:
    """The data bucket. Raises SolidstateError for a client that is not known, not installed, or cannot do what the
    environment asks for."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted and wanted not in CLIENTS:
        near = closest(wanted, CLIENTS)
        raise SolidstateError(
            f"The environment variable `{VARIABLE}` is {shown(wanted)}; expected `obstore` or `boto3`.",
            subject=VARIABLE,
            hint=f"did you mean `{near}`?" if near else "leave it out to have the faster one used that is installed",
        )
    reason = "" if wanted == "boto3" else _why_not_obstore(bucket)
    if wanted == "obstore" and reason:
        raise SolidstateError(
            f"The environment variable `{VARIABLE}` asks for obstore, but {reason}.",
            subject=VARIABLE,
            hint="set it to `boto3`, or leave it out to have one chosen",
        )
    if wanted == "boto3" or reason:
        from solidstate.storage.s3 import S3Store, s3_client

        return S3Store(s3_client(), bucket)
    from solidstate.storage.s3_obstore import ObstoreS3Store, obstore_bucket

    return ObstoreS3Store(obstore_bucket(bucket), bucket)


def _why_not_obstore(bucket: str) -> str:
    """What obstore lacks for this environment; empty when nothing."""
    region = s3_settings.region() or ""
    missing = [name for name in _CREDENTIALS if not os.environ.get(name)]
    asked = [name for name in _BOTO3_ALONE if os.environ.get(name, "").lower() not in ("", "false")]
    if missing:
        return f"`{missing[0]}` is not set and it takes credentials from the environment alone"
    if asked:
        return f"`{asked[0]}` is set, which only boto3 follows"
    if region.startswith(_OTHER_DOMAINS) and s3_settings.endpoint() is None:
        return f"it does not know the endpoints of the region `{region}`"
    if ":" in bucket:
        return f"it does not know access points such as `{bucket}`"
    try:
        importlib.import_module("obstore")
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "obstore":
            return "it is not installed"
        raise SolidstateError(
            f"obstore is installed and cannot be imported: {error}.",
            subject="obstore",
            hint=f"build for the function's architecture and Python version, or set `{VARIABLE}` to `boto3`",
        ) from error
    return ""
