"""Models of the three AWS services, with boto3's calls and errors, as far as Stillframe uses them.

They obey the documented semantics; `tests/contract` runs one suite against them and against the emulators.
They refuse calls that they do not model, so that no test depends on a guess.
"""
