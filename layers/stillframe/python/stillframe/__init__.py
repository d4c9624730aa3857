"""The domain of Stillframe: what a capture is, who may claim it, where its results are stored and how it can fail.

Everything else (functions, stacks, command line) depends on this package, and this package on none of them.
"""

__version__ = "0.1.0"
