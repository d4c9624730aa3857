"""The rule of digests, which invokes the function with its role. Run it with `python -m`."""

from __future__ import annotations

from stillframe_notifier.digest_handler import handler

from .fakes import FakeContext


def main() -> None:
    """Invoke the function. Fails if it sends nothing."""
    answer = handler({"source": "aws.events", "detail-type": "Scheduled Event"}, FakeContext(900))
    assert answer["sent"] > 0, answer


if __name__ == "__main__":
    main()
