"""What the AWS control plane answered, told as our errors: what was tried, what happened, what to do.

For the services that start and describe runs; what goes wrong with objects is told by ``storage.s3_errors``.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from solidstate.errors import EngineError, SolidstateError

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_SIGNED_WRONG = {
    *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException"),
    *("IncompleteSignature", "MissingAuthenticationToken", "SignatureDoesNotMatch", "UnrecognizedClientException"),
}
_BUSY = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "ServiceUnavailable"}
_SIGN_IN = "sign in with `aws sso login`, or name a profile with `--profile`"


class AwsUnavailable(EngineError):
    """AWS could not be asked: no credentials, no permission, no answer."""


class Answered(Exception):
    """AWS refused the request itself; for the caller, who knows what was asked. Never leaves ``infra``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@contextmanager
def asking(what: str, action: str) -> Generator[None]:
    """Raise botocore's errors as :class:`AwsUnavailable`, and as :class:`Answered` where the request is at fault.

    ``what`` reads as in "Could not WHAT"; ``action`` is the IAM action it needs.
    """
    try:
        yield
    except (SolidstateError, Answered):
        raise
    except Exception as error:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            raise _from_answer(error.response, what, action) from error
        if isinstance(error, BotoCoreError):
            raise _without_answer(error, what) from error
        raise


def _from_answer(answer: Any, what: str, action: str) -> Exception:
    found = answer.get("Error", {})
    code, message = str(found.get("Code", "")), str(found.get("Message", "")).rstrip(".")
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _DENIED:
        return AwsUnavailable(
            f"Could not {what}: AWS denies access.",
            subject=action,
            hint=f"allow `{action}` to who signs the request (`aws sts get-caller-identity` says who that is)",
        )
    if code in _SIGNED_WRONG:
        return AwsUnavailable(
            f"Could not {what}: AWS does not accept the credentials ({code}).", subject=action, hint=_SIGN_IN
        )
    if code in _BUSY or status >= 500:
        return AwsUnavailable(
            f"Could not {what}: AWS answered {status} {code} until the tries were used up.",
            subject=action,
            hint="try again",
        )
    return Answered(code, message)


def _without_answer(error: Exception, what: str) -> Exception:
    from botocore import exceptions as botocore

    reason = str(error).rstrip(".")
    if isinstance(error, botocore.NoRegionError):
        return AwsUnavailable(
            f"Could not {what}: no AWS region is set.",
            subject="region",
            hint="name one with `--region`, in samconfig.toml, or in AWS_REGION",
        )
    credentials = (botocore.NoCredentialsError, botocore.PartialCredentialsError, botocore.TokenRetrievalError)
    if isinstance(error, (*credentials, botocore.SSOError)):
        return AwsUnavailable(f"Could not {what}: there are no AWS credentials.", subject="credentials", hint=_SIGN_IN)
    if isinstance(error, botocore.ProfileNotFound):
        return SolidstateError(
            f"Could not {what}: {reason}.", subject="profile", hint="`aws configure list-profiles` lists them"
        )
    if isinstance(error, (botocore.HTTPClientError, botocore.ConnectionError)):
        return AwsUnavailable(
            f"Could not {what}: {reason}.",
            subject="endpoint",
            hint="check the network, the region and the endpoint, then try again",
        )
    return AwsUnavailable(f"Could not {what}: {reason}.", subject="aws")
