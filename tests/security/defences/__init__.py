"""Each defence, how to remove it from the code, and the test that must fail without it."""

from .defence import Defence
from .machine import MACHINE
from .network import NETWORK
from .requester import REQUESTER
from .tenant import TENANT

DEFENCES = (*NETWORK, *MACHINE, *REQUESTER, *TENANT)

__all__ = ["DEFENCES", "Defence"]
