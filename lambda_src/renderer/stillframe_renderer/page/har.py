"""The page's network traffic as an HTTP Archive (HAR 1.2), without bodies and without secrets."""

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
# The schemes of network requests. Others (data:, blob:) are not requested from anywhere.
NETWORK_SCHEMES = ("http", "https", "ws", "wss")
Event = dict[str, Any]


class HarRecorder:
    """Listens to one tab, from the creation of this object on."""

    def __init__(self, session: CDPSession, options: RenderOptions) -> None:
        self._secret = SECRET_HEADERS | {name.lower() for name in options.origin_headers()}
        self._open: dict[str, Event] = {}
        self._entries: list[Event] = []
        # When the first request was sent, in seconds since the epoch.
        self._began: float | None = None
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceived", self._on_response)
        session.on("Network.loadingFinished", self._on_finished)
        session.on("Network.loadingFailed", self._on_failed)

    def to_json(self, url: str, title: str, timings: dict[str, int]) -> bytes:
        """The archive of one page in HAR's JSON. Requests still in progress are included as far as they got."""
        log = {
            "version": "1.2",
            "creator": {"name": "stillframe", "version": stillframe.__version__},
            "pages": [
                {
                    "startedDateTime": _format_time(self._began or 0.0),
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
            self._add_response(event["requestId"], event["redirectResponse"])
            self._end(event["requestId"], event["timestamp"], 0)
        if urlsplit(event["request"]["url"]).scheme not in NETWORK_SCHEMES or len(self._entries) >= MAX_ENTRIES:
            return
        self._began = self._began or event["wallTime"]
        entry = self._entry(event)
        self._open[event["requestId"]] = entry
        self._entries.append(entry)

    def _on_response(self, event: Event) -> None:
        self._add_response(event["requestId"], event["response"])

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
            "startedDateTime": _format_time(event["wallTime"]),
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
            "response": _empty_response(),
            "cache": {},
            "timings": {"send": 0, "wait": 0, "receive": 0},
            "_resourceType": event.get("type", "Other").lower(),
        }

    def _add_response(self, request_id: str, response: Event) -> None:
        entry = self._open.get(request_id)
        if entry is None:
            return
        protocol = response.get("protocol", "unknown")
        entry["request"]["httpVersion"] = protocol
        headers = self._headers(response["headers"])
        location = next((each["value"] for each in headers if each["name"].lower() == "location"), "")
        entry["response"] = _empty_response() | {
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
            # All the time before the request was sent: the guard resolves the name and connects.
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
        before_receive = sum(value for value in entry["timings"].values() if value > 0)
        entry["timings"]["receive"] = round(max(0.0, entry["time"] - before_receive), 3)
        entry["response"]["_transferSize"] = size

    def _headers(self, headers: dict[str, str]) -> list[dict[str, str]]:
        return [
            {"name": name, "value": REDACTED if name.lower() in self._secret else value}
            for name, value in headers.items()
        ]


def _empty_response() -> Event:
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


def _format_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
