"""What a page requested and got, as an HTTP Archive (HAR 1.2), without bodies and without secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pyppeteer.connection import CDPSession

import stillframe
from stillframe.request.capture_request import without_credentials
from stillframe.request.options import RenderOptions

MAX_ENTRIES = 5000
MAX_URL_CHARS = 16_384
REDACTED = "[redacted]"
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
# The page's own sources of bytes; the rest (data:, blob:) asks nobody.
SCHEMES = ("http", "https", "ws", "wss")
Event = dict[str, Any]


class HarRecorder:
    """Listens to one tab from its creation on."""

    def __init__(self, session: CDPSession, options: RenderOptions) -> None:
        self._secret = SECRET_HEADERS | {name.lower() for name in options.origin_headers()}
        self._open: dict[str, Event] = {}
        self._entries: list[Event] = []
        self._began: tuple[float, float] | None = None
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceived", self._on_response)
        session.on("Network.loadingFinished", self._on_finished)
        session.on("Network.loadingFailed", self._on_failed)

    def to_json(self, url: str, title: str, timings: dict[str, int]) -> bytes:
        """The archive of one page; what is still under way is in it as far as it came."""
        began = self._began[0] if self._began else 0.0
        log = {
            "version": "1.2",
            "creator": {"name": "stillframe", "version": stillframe.__version__},
            "pages": [
                {
                    "startedDateTime": _time(began),
                    "id": "page",
                    "title": title or url,
                    "pageTimings": {
                        "onContentLoad": timings.get("domContentLoadedMs", -1),
                        "onLoad": timings.get("loadMs", -1),
                    },
                }
            ],
            "entries": [{name: value for name, value in entry.items() if name[0] != "#"} for entry in self._entries],
        }
        return json.dumps({"log": log}, ensure_ascii=False, separators=(",", ":")).encode()

    def _on_request(self, event: Event) -> None:
        if "redirectResponse" in event:
            self._answer(event["requestId"], event["redirectResponse"])
            self._end(event["requestId"], event["timestamp"], 0)
        if urlsplit(event["request"]["url"]).scheme not in SCHEMES or len(self._entries) >= MAX_ENTRIES:
            return
        self._began = self._began or (event["wallTime"], event["timestamp"])
        entry = self._entry(event)
        self._open[event["requestId"]] = entry
        self._entries.append(entry)

    def _on_response(self, event: Event) -> None:
        self._answer(event["requestId"], event["response"])

    def _on_finished(self, event: Event) -> None:
        self._end(event["requestId"], event["timestamp"], int(event.get("encodedDataLength", 0)))

    def _on_failed(self, event: Event) -> None:
        entry = self._open.get(event["requestId"])
        if entry is not None:
            entry["response"]["_error"] = event.get("errorText", "")
        self._end(event["requestId"], event["timestamp"], 0)

    def _entry(self, event: Event) -> Event:
        request = event["request"]
        url = without_credentials(request["url"])[:MAX_URL_CHARS]
        return {
            "#started": event["timestamp"],
            "pageref": "page",
            "startedDateTime": _time(event["wallTime"]),
            "time": 0,
            "request": {
                "method": request["method"],
                "url": url,
                "httpVersion": "unknown",
                "cookies": [],
                "headers": self._headers(request["headers"]),
                "queryString": [
                    {"name": name, "value": value}
                    for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
                ],
                "headersSize": -1,
                "bodySize": -1 if request.get("hasPostData") else 0,
            },
            "response": _response(),
            "cache": {},
            "timings": {"send": 0, "wait": 0, "receive": 0},
            "_resourceType": event.get("type", "Other").lower(),
        }

    def _answer(self, request_id: str, response: Event) -> None:
        entry = self._open.get(request_id)
        if entry is None:
            return
        protocol = response.get("protocol", "unknown")
        entry["request"]["httpVersion"] = protocol
        headers = self._headers(response["headers"])
        location = next((each["value"] for each in headers if each["name"].lower() == "location"), "")
        entry["response"] = _response() | {
            "status": response["status"],
            "statusText": response.get("statusText", ""),
            "httpVersion": protocol,
            "headers": headers,
            "content": {"size": -1, "mimeType": response.get("mimeType", "")},
            "redirectURL": without_credentials(location),
            "_fromCache": bool(response.get("fromDiskCache")),
        }
        timing = response.get("timing")
        if timing is not None:
            wait = max(0.0, timing["receiveHeadersEnd"] - timing["sendEnd"])
            # What went before the request was sent: its connection, name and TLS are the guard's.
            entry["timings"] = {
                "blocked": max(0.0, round(timing["sendStart"], 3)),
                "send": round(max(0.0, timing["sendEnd"] - timing["sendStart"]), 3),
                "wait": round(wait, 3),
                "receive": 0,
            }

    def _end(self, request_id: str, timestamp: float, size: int) -> None:
        entry = self._open.pop(request_id, None)
        if entry is None:
            return
        entry["time"] = round(max(0.0, timestamp - entry["#started"]) * 1000, 3)
        before = sum(value for value in entry["timings"].values() if value > 0)
        entry["timings"]["receive"] = round(max(0.0, entry["time"] - before), 3)
        entry["response"]["_transferSize"] = size

    def _headers(self, headers: dict[str, str]) -> list[dict[str, str]]:
        return [
            {"name": name, "value": REDACTED if name.lower() in self._secret else value}
            for name, value in headers.items()
        ]


def _response() -> Event:
    return {
        "status": 0,
        "statusText": "",
        "httpVersion": "unknown",
        "cookies": [],
        "headers": [],
        "content": {"size": -1, "mimeType": ""},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
