"""Tests that run as root in their own network namespace, in which this machine has every special address."""
