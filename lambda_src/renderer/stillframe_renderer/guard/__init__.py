"""The egress guard: a forward proxy on loopback, one per capture, which carries all traffic of that capture.

It resolves a name once, checks every address in the answer, and connects to exactly the addresses that it checked.
"""
