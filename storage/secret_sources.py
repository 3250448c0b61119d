"""Where the value of a ``Secret`` is fetched: the environment, SSM Parameter Store, Secrets Manager."""

from __future__ import annotations

import json
import os
from typing import Any

from solidstate.errors import StorageUnavailable
from solidstate.secret import Secret, SecretError

_ABSENT = {"ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFoundException"}
_DENIED = {"AccessDeniedException", "AccessDenied", "KMSAccessDeniedException", "DecryptionFailure"}
_BUSY = {"ThrottlingException", "Throttling", "InternalServerError", "InternalServiceError", "ServiceUnavailable"}


def fetch(secret: Secret) -> str:
    """The value a reference leads to. Raises SecretError, whose words never hold a value, and StorageUnavailable."""
    if secret.env is not None:
        return _variable(secret)
    if secret.ssm is not None:
        answer = _answer(secret, "ssm", "GetParameter", {"Name": secret.ssm, "WithDecryption": True})
        return str(answer["Parameter"]["Value"])
    answer = _answer(secret, "secretsmanager", "GetSecretValue", {"SecretId": secret.secretsmanager})
    text = answer.get("SecretString")
    if text is None:
        raise SecretError(
            f"The secret `{secret.reference}` is binary; expected text.",
            subject=secret.reference,
            hint="store it as text, for example in base64",
        )
    return str(text) if secret.key is None else _field(secret, str(text), secret.key)


def _variable(secret: Secret) -> str:
    value = os.environ.get(secret.env or "")
    if value is None:
        raise SecretError(
            f"The environment variable of the secret `{secret.reference}` is not set.",
            subject=secret.reference,
            hint=f"set it where the step runs: `export {secret.env}=...`",
        )
    return value


def _field(secret: Secret, text: str, key: str) -> str:
    try:
        document = json.loads(text)
        value = document[key] if isinstance(document, dict) else None
    except (ValueError, KeyError):
        value = None
    if not isinstance(value, str):
        raise SecretError(
            f"The secret `{secret.reference}` has no such field: expected a JSON document with text under `{key}`.",
            subject=secret.reference,
            hint="correct `key`, or leave it out to get the whole text",
        )
    return value


def _answer(secret: Secret, service: str, operation: str, arguments: dict[str, Any]) -> Any:
    import boto3  # only a step that has such a secret pays for the client
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=20)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    try:
        # A session of its own: steps run in threads, which must not share one (boto3 guide, "Session").
        client: Any = boto3.session.Session().client(service, region_name=region, config=config)  # type: ignore[call-overload]  # boto3-stubs know literal names only
        return client.get_parameter(**arguments) if service == "ssm" else client.get_secret_value(**arguments)
    except ClientError as error:
        raise _refused(secret, operation, str(error.response.get("Error", {}).get("Code", ""))) from None
    except BotoCoreError as error:
        if type(error).__name__ in ("NoCredentialsError", "NoRegionError", "PartialCredentialsError"):
            raise SecretError(
                f"The secret `{secret.reference}` cannot be fetched: {str(error).rstrip('.')}.",
                subject=secret.reference,
                hint="set the usual AWS variables, or refer to an environment variable: `{env: NAME}`",
            ) from None
        raise StorageUnavailable(
            f"The secret `{secret.reference}` could not be fetched: {type(error).__name__}.", subject=secret.reference
        ) from None


def _refused(secret: Secret, operation: str, code: str) -> Exception:
    subject = secret.reference
    if code in _BUSY:
        return StorageUnavailable(f"The secret `{subject}` could not be fetched: {code}.", subject=subject)
    if code in _ABSENT:
        where = "parameter in SSM" if secret.ssm is not None else "secret in Secrets Manager"
        return SecretError(
            f"There is no {where} for the secret `{subject}`.",
            subject=subject,
            hint="create it in the account and region the step runs in, or correct the reference",
        )
    hint = (
        f"allow the function's role the action that `{operation}` needs" if code in _DENIED else "correct the reference"
    )
    return SecretError(f"The secret `{subject}` cannot be fetched: AWS answered `{code}`.", subject=subject, hint=hint)
