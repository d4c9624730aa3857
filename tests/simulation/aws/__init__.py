"""Models of the three AWS services, with boto3's calls and errors, as far as Stillframe uses them.

They obey the documented semantics; `tests/contract` runs one suite against them and against the emulators.
What they do not model they refuse, so that no test rests on a guess.
"""
