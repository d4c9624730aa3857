"""The options of a capture, grouped as docs/options.md groups them."""

from .access import BasicAuth, Cookie, SecretReference
from .model import RenderOptions
from .picture import MAX_FULL_PAGE_HEIGHT, MAX_PIXELS, ImageFormat, Viewport
from .wait import WaitUntil
from .wire import WireModel

__all__ = [
    "MAX_FULL_PAGE_HEIGHT",
    "MAX_PIXELS",
    "BasicAuth",
    "Cookie",
    "ImageFormat",
    "RenderOptions",
    "SecretReference",
    "Viewport",
    "WaitUntil",
    "WireModel",
]
