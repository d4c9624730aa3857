"""The error tree: every code is unique, and the class carries the retry decision."""

from __future__ import annotations

from stillframe import errors
from stillframe.errors import CaptureError, PermanentError, TransientError, retryable_codes


def leaves() -> list[type[CaptureError]]:
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, CaptureError)]
    return [each for each in classes if each not in (CaptureError, PermanentError, TransientError)]


def test_every_error_has_its_own_code_and_says_when_it_is_raised() -> None:
    codes = [each.code for each in leaves()]
    assert len(codes) == len(set(codes))
    assert all(each.__doc__ for each in leaves())


def test_every_error_is_either_permanent_or_transient() -> None:
    assert all(issubclass(each, PermanentError) != issubclass(each, TransientError) for each in leaves())


def test_only_a_transient_code_allows_another_claim() -> None:
    assert set(retryable_codes()) == {each.code for each in leaves() if issubclass(each, TransientError)}


def test_an_error_message_is_cut_to_fit_the_record() -> None:
    assert len(errors.UnknownHost("x" * 10_000).message) == errors.MAX_MESSAGE_CHARS
