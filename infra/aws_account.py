"""The AWS account a command speaks to: whose credentials, which region, which endpoint. Clients are made when used."""

from __future__ import annotations

import os
import threading
from typing import Any

from solidstate.infra.aws_errors import asking
from solidstate.storage.s3 import S3Store

CONNECTIONS = 32


class AwsAccount:
    """What is not given comes from the usual AWS environment. Thread safe."""

    def __init__(self, profile: str | None = None, region: str | None = None, endpoint_url: str | None = None) -> None:
        self.profile = profile
        # boto3 itself reads AWS_DEFAULT_REGION only; every other SDK reads AWS_REGION.
        self.region = region or os.environ.get("AWS_REGION")
        self.endpoint_url = endpoint_url
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """A boto3 client, made once. Raises AwsUnavailable without a region, SolidstateError for an unknown profile."""
        with self._lock:
            if service not in self._clients:
                with asking(f"speak to {service}", service):
                    self._clients[service] = self._made(service)
            return self._clients[service]

    def store(self, bucket: str) -> S3Store:
        """The objects of a bucket."""
        return S3Store(self.client("s3"), bucket)

    def _made(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        if self._session is None:
            self._session = boto3.session.Session(profile_name=self.profile, region_name=self.region)
        local = self.endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 5},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=CONNECTIONS,
            s3={"addressing_style": "path" if local else "auto"},  # stand-ins rarely resolve `bucket.host`
        )
        return self._session.client(service, endpoint_url=self.endpoint_url, config=config)
