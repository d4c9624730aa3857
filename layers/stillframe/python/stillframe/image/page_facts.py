"""What a capture tells of its page, in its record and on its object."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

# S3 allows 2 KB of user metadata for an object, names included; these two are what can grow.
MAX_METADATA_TITLE = 300
MAX_METADATA_URL = 1000


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the page said of itself. `page_height` is its full height in CSS pixels, where it was capped.

    `redirects` are the urls on the way to the final one; `timings` are milliseconds since the start of the capture;
    `tls_expires_at` is in seconds since the epoch. `unsettled` is what the page did not get past in its time, `blank`
    says that the picture is of one colour; `blocked` counts, by decision, the connections that the page was refused.
    `cookie_banner` names the banner that was answered. `perceptual_hash` is 64 bits in hex; `left_out` names extra
    objects that were asked for and not made, and why. `difference` is the share of pixels that changed since the
    capture `compared_to`, 0 to 1; `comparison_problem` says why there was nothing to compare with.
    """

    http_status: int | None = None
    final_url: str | None = None
    title: str | None = None
    description: str | None = None
    page_content_type: str | None = None
    redirects: list[str] | None = None
    tls_issuer: str | None = None
    tls_expires_at: int | None = None
    console_errors: list[str] | None = None
    requests: int | None = None
    failed_requests: int | None = None
    transferred_bytes: int | None = None
    timings: dict[str, int] | None = None
    page_height: int | None = None
    height_capped: bool | None = None
    settled: bool | None = None
    unsettled: str | None = None
    blank: bool | None = None
    blocked: dict[str, int] | None = None
    ads_blocked: int | None = None
    cookie_banner: str | None = None
    perceptual_hash: str | None = None
    left_out: dict[str, str] | None = None
    compared_to: str | None = None
    changed: bool | None = None
    difference: float | None = None
    comparison_problem: str | None = None

    def to_metadata(self) -> dict[str, str]:
        """As metadata of the object, so that an adopted one still completes its record. Headers are ASCII."""
        values = {
            "http-status": str(self.http_status) if self.http_status else "",
            "final-url": quote(self.final_url or "", safe="/:?&=#%~"),
            "title": _quoted_prefix(self.title or "", MAX_METADATA_TITLE),
            "page-height": str(self.page_height) if self.height_capped else "",
            "perceptual-hash": self.perceptual_hash or "",
            "compared-to": self.compared_to or "",
            "difference": "" if self.difference is None else str(self.difference),
        }
        if len(values["final-url"]) > MAX_METADATA_URL:
            values["final-url"] = ""
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_metadata(cls, metadata: dict[str, str]) -> PageFacts:
        """What an object's metadata has kept of them."""
        status, height = metadata.get("http-status"), metadata.get("page-height")
        difference = float(metadata["difference"]) if "difference" in metadata else None
        return cls(
            http_status=int(status) if status else None,
            final_url=metadata.get("final-url"),
            title=unquote(metadata["title"]) if "title" in metadata else None,
            page_height=int(height) if height else None,
            height_capped=True if height else None,
            perceptual_hash=metadata.get("perceptual-hash"),
            compared_to=metadata.get("compared-to"),
            changed=difference > 0 if difference is not None else None,
            difference=difference,
        )


def _quoted_prefix(text: str, limit: int) -> str:
    """As many whole characters as fit the limit once percent-encoded."""
    kept = ""
    for char in text:
        encoded = quote(char, safe=" ")
        if len(kept) + len(encoded) > limit:
            break
        kept += encoded
    return kept.strip()
