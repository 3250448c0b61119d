"""Whose credentials, which region, which endpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra.aws_account import AwsAccount
from solidstate.infra.aws_errors import AwsUnavailable
from tests.conftest_s3 import CountedServer, s3_server

__all__ = ["s3_server"]


@pytest.fixture(autouse=True)
def _signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def test_the_environment_says_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_REGION, which boto3 does not read, as well; what is given wins."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert AwsAccount().client("stepfunctions").meta.region_name == "eu-west-1"
    assert AwsAccount(region="us-east-2").client("stepfunctions").meta.region_name == "us-east-2"


def test_without_a_region_nothing_can_be_asked() -> None:
    """In words, when the first client is made."""
    with pytest.raises(AwsUnavailable, match=r"^Could not speak to stepfunctions: no AWS region is set\."):
        AwsAccount().client("stepfunctions")


def test_a_profile_brings_its_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the user's configuration; one that is not there is wrong input."""
    (tmp_path / "config").write_text(
        "[profile prod]\nregion = eu-north-1\naws_access_key_id = P\naws_secret_access_key = S\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    client = AwsAccount(profile="prod").client("stepfunctions")
    assert client.meta.region_name == "eu-north-1"
    assert client._request_signer._credentials.access_key == "P"
    with pytest.raises(SolidstateError, match=r"^Could not speak to s3: The config profile \(prd\) could not be found"):
        AwsAccount(profile="prd").client("s3")


def test_clients_are_made_once_and_speak_to_the_endpoint(s3_server: CountedServer) -> None:
    """The store's requests go there, path by path."""
    account = AwsAccount(region="us-east-1", endpoint_url=s3_server.url)
    assert account.client("s3") is account.client("s3")
    account.client("s3").create_bucket(Bucket="of-the-account")
    store = account.store("of-the-account")
    store.put("a/b", b"1")
    assert store.get("a/b") == b"1"
    assert ("PUT", "a/b") in s3_server.requests
