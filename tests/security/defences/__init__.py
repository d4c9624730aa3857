"""Each defence, how to remove it from the code, and the test that must fail without it."""

from .defence import Defence
from .machine import MACHINE
from .network import NETWORK
from .requester import REQUESTER

DEFENCES = (*NETWORK, *MACHINE, *REQUESTER)

__all__ = ["DEFENCES", "Defence"]
