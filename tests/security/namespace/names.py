"""A name server that answers like an attacker's."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSServer

PUBLIC = "11.0.0.1"
METADATA = "169.254.169.254"
SLOW_SECONDS = 1.5
# Longer than the resolver waits (RESOLV_CONF in conftest.py).
SILENT_SECONDS = 30

A_RECORDS = {
    "public.test": [PUBLIC],
    "hop2.test": [METADATA],
    "mixed.test": [PUBLIC, "10.0.0.1"],
    "mixed-first.test": ["10.0.0.1", PUBLIC],
    "private.test": ["192.168.0.1"],
    "slow.test": [PUBLIC],
    "silent.test": [PUBLIC],
    "api.test": ["127.0.0.1"],
}
AAAA_RECORDS = {
    "six.test": ["fd00:ec2::254"],
    "mixed-six.test": ["fd00:ec2::254"],
    "mapped.test": ["::ffff:a9fe:a9fe"],
    "translated.test": ["64:ff9b::a9fe:a9fe"],
}
A_RECORDS["mixed-six.test"] = [PUBLIC]
CNAMES = {"inward.test": "hop1.test", "hop1.test": "hop2.test"}


class Names(BaseResolver):
    """`rebind.test` resolves to a public address at first, and to the metadata service from then on."""

    def __init__(self) -> None:
        self.queries: list[str] = []
        self._rebinds = itertools.chain([PUBLIC], itertools.repeat(METADATA))

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        self.queries.append(f"{name} {kind}")
        if name in ("slow.test", "silent.test"):
            time.sleep(SLOW_SECONDS if name == "slow.test" else SILENT_SECONDS)
        reply = request.reply()
        while name in CNAMES:
            reply.add_answer(RR(name, QTYPE.CNAME, rdata=CNAME(CNAMES[name]), ttl=0))
            name = CNAMES[name]
        is_rebind = name == "rebind.test"
        known = is_rebind or name in A_RECORDS or name in AAAA_RECORDS
        if not known:
            reply.header.rcode = RCODE.NXDOMAIN
        elif kind == "A":
            addresses = [next(self._rebinds)] if is_rebind else A_RECORDS.get(name, [])
            for address in addresses:
                reply.add_answer(RR(name, QTYPE.A, rdata=A(address), ttl=0))
        elif kind == "AAAA":
            for address in AAAA_RECORDS.get(name, []):
                reply.add_answer(RR(name, QTYPE.AAAA, rdata=AAAA(address), ttl=0))
        return reply


@contextmanager
def serving_names(address: str) -> Iterator[Names]:
    """Answer queries on port 53 of an address."""
    names = Names()
    server = DNSServer(names, address=address, port=53, logger=_Quiet())
    server.server.daemon_threads = True
    server.server.block_on_close = False
    server.start_thread()
    try:
        yield names
    finally:
        server.server.shutdown()
        server.server.server_close()


class _Quiet:
    """A logger that logs nothing; by default dnslib prints every query."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None
