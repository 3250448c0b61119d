"""Endpoint and region from the environment."""

from __future__ import annotations

import pytest

from solidstate.errors import StorageError
from solidstate.storage import s3_settings


def test_nothing_set_is_aws_itself() -> None:
    """No endpoint and no region of ours: the client's defaults."""
    assert s3_settings.endpoint() is None
    assert s3_settings.region() is None


def test_the_services_own_variable_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the AWS SDKs; an empty variable is none."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "")
    assert s3_settings.endpoint() == "http://127.0.0.1:1"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example.com")
    assert s3_settings.endpoint() == "https://s3.example.com"


def test_the_region_lambda_sets_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both variables are common."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert s3_settings.region() == "us-east-1"
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert s3_settings.region() == "eu-north-1"


def test_an_endpoint_without_a_scheme_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a client makes something of it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:5000")
    with pytest.raises(StorageError) as caught:
        s3_settings.endpoint()
    assert str(caught.value) == (
        "The environment variable `AWS_ENDPOINT_URL` is 'localhost:5000'; expected a URL.\n"
        "  fix: begin it with `https://`, or with `http://` for a local stand-in"
    )
