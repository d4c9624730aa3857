"""Tests that run as root of a network of their own, in which every special address is this machine."""
