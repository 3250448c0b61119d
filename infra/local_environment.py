"""The process's environment while the local AWS is open: dummy credentials, loopback endpoint, nothing of the user's.

s3fs, the AWS command line and subprocesses find the local AWS through these variables alone. Every ``AWS_*`` variable
of the user is taken away for the duration: real credentials, profiles and endpoints can neither be used nor leak.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

REGION = "us-east-1"
_QUIET = ("werkzeug", "moto", "botocore", "boto3", "urllib3")
_BYPASSED = ("127.0.0.1", "localhost")


def _dummies(region: str) -> dict[str, str]:
    """What keeps a process from finding the user's account."""
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        # botocore reads these two files even when the variables above say everything.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@contextmanager
def local_environment(region: str) -> Generator[None]:
    """Take the user's variables away and set dummies; on exit exactly the former variables are back.

    It comes before everything else, because importing moto already looks at them.
    """
    former = {name: value for name, value in os.environ.items() if _ours(name)}
    try:
        for name in former:
            if name.startswith("AWS_") or name == "BOTO_CONFIG":
                del os.environ[name]
        os.environ.update(_dummies(region))
        for name in ("NO_PROXY", "no_proxy"):
            listed = [former[name]] if former.get(name) else []
            os.environ[name] = ",".join([*listed, *_BYPASSED])
        yield
    finally:
        for name in [name for name in os.environ if _ours(name)]:
            del os.environ[name]
        os.environ.update(former)


def publish_endpoint(endpoint_url: str) -> None:
    """Lead new clients, of this process and its children, to the local AWS. Inside ``local_environment`` only."""
    os.environ["AWS_ENDPOINT_URL"] = endpoint_url
    os.environ["MOTO_PORT"] = endpoint_url.rpartition(":")[2]  # where moto's interpreter invokes functions


def child_variables(endpoint_url: str) -> dict[str, str]:
    """The same for a process that inherits nothing else."""
    bypassed = ",".join(_BYPASSED)
    return {**_dummies(REGION), "AWS_ENDPOINT_URL": endpoint_url, "NO_PROXY": bypassed, "no_proxy": bypassed}


@contextmanager
def fresh_sessions() -> Generator[None]:
    """No client made outside is used inside, nor the other way round.

    boto3 keeps one default session, which remembers credentials; s3fs keeps its file systems by their arguments, which
    do not name the endpoint.
    """
    import boto3

    former = boto3.DEFAULT_SESSION
    _forget_file_systems()
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = former
        _forget_file_systems()


@contextmanager
def quiet_logs() -> Generator[None]:
    """Silence the libraries that log every request and, at length, every failed task."""
    loggers = [logging.getLogger(name) for name in _QUIET]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _forget_file_systems() -> None:
    s3fs: Any = sys.modules.get("s3fs")
    if s3fs is not None:
        s3fs.S3FileSystem.clear_instance_cache()


def _ours(name: str) -> bool:
    return name.startswith("AWS_") or name in ("BOTO_CONFIG", "MOTO_PORT", "NO_PROXY", "no_proxy")
