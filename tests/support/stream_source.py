"""The notifier's event source and its function in one process: it reads the stream with the function's role.

"Using AWS Lambda with Amazon DynamoDB", execution role permissions. Run it with `python -m`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from stillframe_cli.stream_reader import StreamReader, connect_streams
from stillframe_notifier.handler import handler


def deliver(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Hand an event to the function. Fails if it reports a failure."""
    answer = handler(dict(event), None)
    assert answer == {"batchItemFailures": []}, answer
    return answer


def main() -> None:
    """Deliver everything that the stream has."""
    reader = StreamReader(connect_streams(), os.environ["TABLE_NAME"], deliver)
    while reader.read():
        pass


if __name__ == "__main__":
    main()
