"""obstore's errors told as ours.

obstore has a class for some HTTP answers and the rest in a text: one readable line, then Rust's view of the error. The
line holds method, URL, status and S3's XML; that it does is held by the tests, with the versions they are run with.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

from solidstate.errors import SolidstateError, StorageError
from solidstate.storage.s3_answers import Again, Refused, answered, failed, unanswered

_DEBUG = "\n\nDebug source:"


@contextmanager
def translated(verb: str, bucket: str, key: str) -> Generator[None, None, None]:
    """Raise obstore's errors as ours. ``verb`` reads as in "could not VERB the object"."""
    try:
        yield
    except (SolidstateError, Refused, Again):
        raise
    except Exception as error:
        from obstore.exceptions import BaseError

        # What ends a multipart upload raises built-in errors, and so does any verb for what is not found.
        if isinstance(error, (BaseError, OSError)):
            raise _told(str(error), verb, bucket, key) from error
        raise


def tries_of(error: Exception) -> str:
    """How many tries obstore has made by itself, as words of a message."""
    found = re.search(r" after (\d+) retries", str(error.__cause__))
    return f"{int(found[1]) + 1} tries" if found is not None and int(found[1]) else "1 try"


def _told(text: str, verb: str, bucket: str, key: str) -> Exception:
    line, _, inside = text.partition(_DEBUG)
    status = _status(line)
    if status is not None:
        return answered(_code(line), status, verb, bucket, key, line.partition(" - ")[2] or line)
    if "Received redirect without LOCATION" in line:
        return answered("", 301, verb, bucket, key, line)
    if "HTTP error" in line:
        return unanswered(_reason(line, inside), verb, bucket, key)
    return StorageError(f"{failed(verb, bucket, key)}: {line.rstrip('.')}.", subject=key, path=f"s3://{bucket}/{key}")


def _status(line: str) -> int | None:
    found = re.search(r"Server returned non-2xx status code: (\d{3})", line)
    if found is not None:
        return int(found[1])
    return 200 if "Server returned error response:" in line else None  # an error that was told in mid-answer


def _code(line: str) -> str:
    found = re.search(r"<Code>(\w+)</Code>", line)
    return found[1] if found is not None else ""


def _reason(line: str, inside: str) -> str:
    """Why there was no answer, in botocore's words where it has some."""
    url = re.search(r"Error performing \w+ (\S+) in ", line)
    where = f'"{url[1]}"' if url is not None else "the endpoint"
    certificate = re.search(r"InvalidCertificate\(\s*(\w+)", inside)
    if certificate is not None:
        return f"SSL validation failed for {where}: {certificate[1]}"
    kind = re.search(r"HttpError \{\s*kind: (\w+)", inside)
    if kind is not None and kind[1] == "Connect":
        return f"Could not connect to the endpoint URL: {where}"
    if kind is not None and kind[1] == "Timeout":
        return f"Read timeout on endpoint URL: {where}"
    return f"Connection was closed before we received a valid response from endpoint URL: {where}"
