"""What AWS answers, and what keeps it from answering, in our words."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as botocore

from solidstate.errors import SolidstateError
from solidstate.infra.aws_errors import Answered, AwsUnavailable, asking


def client_error(code: str, status: int = 400, message: str = "said so.") -> botocore.ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.ClientError(answer, "StartExecution")


def told(error: Exception) -> Exception:
    try:
        with asking("start it", "states:StartExecution"):
            raise error
    except Exception as found:
        return found


SIGN_IN = "sign in with `aws sso login`, or name a profile with `--profile`"
TOLD: list[tuple[Exception, str]] = [
    (
        client_error("AccessDeniedException"),
        "Could not start it: AWS denies access.\n  fix: allow `states:StartExecution` to who signs the request "
        "(`aws sts get-caller-identity` says who that is)",
    ),
    (
        client_error("ExpiredTokenException"),
        f"Could not start it: AWS does not accept the credentials (ExpiredTokenException).\n  fix: {SIGN_IN}",
    ),
    (
        client_error("ThrottlingException"),
        "Could not start it: AWS answered 400 ThrottlingException until the tries were used up.\n  fix: try again",
    ),
    (
        client_error("Whatever", 503),
        "Could not start it: AWS answered 503 Whatever until the tries were used up.\n  fix: try again",
    ),
    (
        botocore.NoRegionError(),
        "Could not start it: no AWS region is set.\n  fix: name one with `--region`, in samconfig.toml, or in "
        "AWS_REGION",
    ),
    (botocore.NoCredentialsError(), f"Could not start it: there are no AWS credentials.\n  fix: {SIGN_IN}"),
    (
        botocore.EndpointConnectionError(endpoint_url="http://127.0.0.1:1/"),
        'Could not start it: Could not connect to the endpoint URL: "http://127.0.0.1:1/".\n'
        "  fix: check the network, the region and the endpoint, then try again",
    ),
    (botocore.DataNotFoundError(data_path="x"), "Could not start it: Unable to load data for: x."),
]


@pytest.mark.parametrize(("error", "said"), TOLD, ids=[type(one).__name__ + str(n) for n, (one, _) in enumerate(TOLD)])
def test_what_keeps_aws_from_answering(error: Exception, said: str) -> None:
    """In full: what was tried, why not, what to do."""
    found = told(error)
    assert isinstance(found, AwsUnavailable)
    assert str(found) == said


def test_a_refused_request_is_left_to_who_asked() -> None:
    """Only they know what was asked for."""
    found = told(client_error("ExecutionDoesNotExist"))
    assert isinstance(found, Answered)
    assert (found.code, found.message) == ("ExecutionDoesNotExist", "said so")


def test_an_unknown_profile_is_wrong_input() -> None:
    """Not a failure of AWS."""
    found = told(botocore.ProfileNotFound(profile="prd"))
    assert type(found) is SolidstateError
    assert str(found) == (
        "Could not start it: The config profile (prd) could not be found.\n"
        "  fix: `aws configure list-profiles` lists them"
    )


@pytest.mark.parametrize("error", [SolidstateError("ours"), ValueError("a bug"), Answered("a", "b")])
def test_everything_else_passes(error: Exception) -> None:
    """Our own errors and bugs are what they are."""
    assert told(error) is error
