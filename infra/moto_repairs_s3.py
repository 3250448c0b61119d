"""Repairs of moto's S3: requests that check and then act must not overlap."""

from __future__ import annotations

import functools
import threading
from typing import Any

from solidstate.infra.moto_inside import inside, swap

_ACTIONS = (
    "put_object",
    "get_object",
    "head_object",
    "copy_object",
    "delete_object",
    "upload_part",
    "list_objects",
    "list_objects_v2",
    "list_object_versions",
    "_key_response_post",  # CompleteMultipartUpload is written inside it
    "_bucket_response_delete_keys",
)


def one_at_a_time() -> None:
    """``If-None-Match`` and ``If-Match`` (PutObject, CompleteMultipartUpload, DeleteObject) are checked and then acted
    on without a lock, so two writers can both win; an object overwritten while it is read raises "I/O operation on
    closed file", and a bucket written while it is listed "dictionary changed size during iteration".

    One lock is enough: the work under it is a dictionary update, and the interpreter lock admits one thread anyway.
    Request bodies are read from their sockets before it is taken."""
    response = inside("s3.responses").S3Response
    lock = threading.RLock()

    def alone(action: Any) -> Any:
        @functools.wraps(action)
        def locked(self: Any, *given: Any, **named: Any) -> Any:
            with lock:
                return action(self, *given, **named)

        return locked

    for name in _ACTIONS:
        swap(response, name, alone(getattr(response, name)))


def notify_later() -> None:
    """A notification runs its Lambda function inside the PutObject call, where the function's own first request would
    wait for ever for the lock above. AWS notifies asynchronously."""
    module = inside("s3.notifications")

    def later(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
        if bucket.notification_configuration is not None:
            threading.Thread(target=original, args=(account_id, event_name, bucket, key), daemon=True).start()

    original = swap(module, "send_event", later)
