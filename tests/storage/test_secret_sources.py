"""Where secrets are fetched, and what is said when they are not there. AWS is moto on loopback."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from solidstate import Secret, SolidstateError
from solidstate.redaction import redact
from tests.conftest_s3 import CountedServer


@pytest.fixture
def aws(s3_server: CountedServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The environment of a step, with clients for putting secrets there."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return boto3.session.Session().client


def refusal(secret: Secret) -> str:
    with pytest.raises(SolidstateError) as caught:
        secret.get()
    return str(caught.value)


def test_parameters_are_decrypted(aws: Any) -> None:
    """A SecureString comes as its text, once for each Secret object."""
    aws("ssm").put_parameter(Name="/team/password", Value="parameter-value", Type="SecureString")
    secret = Secret(ssm="/team/password")
    assert secret.get() == "parameter-value"
    aws("ssm").put_parameter(Name="/team/password", Value="another-value", Type="SecureString", Overwrite=True)
    assert secret.get() == "parameter-value"
    assert Secret(ssm="/team/password").get() == "another-value"
    assert redact("parameter-value, another-value") == "[secret], [secret]"


def test_secrets_are_whole_or_one_field(aws: Any) -> None:
    """Without `key` the text as it is stored; with it, a field of the document."""
    aws("secretsmanager").create_secret(Name="team/db", SecretString='{"user": "ops-user", "port": 5432}')
    assert Secret(secretsmanager="team/db").get() == '{"user": "ops-user", "port": 5432}'
    assert Secret(secretsmanager="team/db", key="user").get() == "ops-user"
    for key in ("port", "password"):
        assert refusal(Secret(secretsmanager="team/db", key=key)) == (
            f"The secret `secretsmanager: team/db, key: {key}` has no such field: expected a JSON document with text "
            f"under `{key}`.\n"
            "  fix: correct `key`, or leave it out to get the whole text"
        )


def test_what_is_not_there_is_named(aws: Any) -> None:
    """The reference, and what to do."""
    assert refusal(Secret(ssm="/none")) == (
        "There is no parameter in SSM for the secret `ssm: /none`.\n"
        "  fix: create it in the account and region the step runs in, or correct the reference"
    )
    assert refusal(Secret(secretsmanager="none")) == (
        "There is no secret in Secrets Manager for the secret `secretsmanager: none`.\n"
        "  fix: create it in the account and region the step runs in, or correct the reference"
    )


def test_binary_secrets_are_refused(aws: Any) -> None:
    """A Secret is text."""
    aws("secretsmanager").create_secret(Name="team/key", SecretBinary=b"\x00\x01binary")
    assert refusal(Secret(secretsmanager="team/key")) == (
        "The secret `secretsmanager: team/key` is binary; expected text.\n"
        "  fix: store it as text, for example in base64"
    )


def test_a_secret_too_short_to_hide_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking out `ab` everywhere would leave no readable log; letting it stand would break the promise."""
    monkeypatch.setenv("SHORT_SECRET", "ab")
    assert refusal(Secret(env="SHORT_SECRET")) == (
        "The secret `env: SHORT_SECRET` has 2 characters; fewer than 4 cannot be kept out of logs and events.\n"
        "  fix: use a longer value"
    )


def test_without_credentials_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network is tried."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)  # moto leaves some behind
    assert refusal(Secret(ssm="/none")) == (
        "The secret `ssm: /none` cannot be fetched: Unable to locate credentials.\n"
        "  fix: set the usual AWS variables, or refer to an environment variable: `{env: NAME}`"
    )
