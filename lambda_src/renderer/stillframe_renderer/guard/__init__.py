"""The egress guard: a forward proxy on loopback, one for each capture, through which all of its traffic goes.

It resolves a name once, judges every address of the answer, and dials the very address that it judged.
"""
