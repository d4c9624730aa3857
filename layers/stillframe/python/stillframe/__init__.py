"""The domain of Stillframe: what a capture is, who may take it, where it is kept and how it can fail.

Everything else (functions, stacks, command line) depends on this package; it depends on none of them.
"""

__version__ = "0.1.0"
