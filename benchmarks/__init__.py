"""Benchmarks. Each gives a ratio to a peer or to a limit measured in the same run. They are not part of the tests."""
