"""Where S3 is: endpoint and region, from the variables that Lambda, the AWS SDKs and the local engines share."""

from __future__ import annotations

import os

from solidstate.errors import StorageError, shown

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


def endpoint() -> str | None:
    """Another S3 than AWS's. Raises StorageError for what is no URL; every SDK has its own words for that."""
    for name in ENDPOINTS:
        url = os.environ.get(name)
        if url:
            if not url.startswith(("https://", "http://")):
                raise StorageError(
                    f"The environment variable `{name}` is {shown(url)}; expected a URL.",
                    subject=name,
                    hint="begin it with `https://`, or with `http://` for a local stand-in",
                )
            return url
    return None


def region() -> str | None:
    """boto3 itself reads AWS_DEFAULT_REGION only; Lambda and every other SDK set or read AWS_REGION."""
    return next((os.environ[name] for name in REGIONS if os.environ.get(name)), None)
