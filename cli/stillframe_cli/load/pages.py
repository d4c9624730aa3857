"""The bundled pages of a load test. Their HTML is part of the request, so that they need no network."""

from __future__ import annotations

from stillframe.request.capture_request import CaptureRequest

# A reserved domain (RFC 6761, 6.4) that never resolves.
BASE = "https://load-test.invalid/"

TEXT = "<p>The keeper wrote the harbour's ledger by the lamp, a line for each tide that the winter left it. " * 6
CARD = (
    "<div style='flex:1 1 200px;padding:16px;border-radius:12px;background:linear-gradient({0}deg,#{1:03x},#fff);"
    "box-shadow:0 4px 12px #0003'><h3>Card {0}</h3><p>Some words on it.</p></div>"
)
ROWS = (
    "<table id=t border=1></table><script>for(let i=0;i<200;i++){const r=t.insertRow();"
    "for(let c=0;c<6;c++)r.insertCell().textContent=(i*c*7919%1000)}</script>"
)
BODIES = {
    "text": f"<h1>Text</h1>{TEXT * 4}",
    "cards": "<div style='display:flex;flex-wrap:wrap;gap:12px'>"
    + "".join(CARD.format(number * 9, number * 97 % 4096) for number in range(40))
    + "</div>",
    "table": f"<h1>Table</h1>{ROWS}",
}


def bundled_requests() -> list[CaptureRequest]:
    """Return requests for a page of text, a page of boxes with shadows, and a table that a script builds."""
    return [
        CaptureRequest(
            url=f"{BASE}{name}",
            options={"html": f"<!doctype html><meta charset=utf-8><title>{name}</title><body>{body}"},
        )
        for name, body in BODIES.items()
    ]
