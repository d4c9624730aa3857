"""The options of a capture, grouped as docs/options.md groups them."""

from .access import BasicAuth, Cookie, SecretReference
from .comparison import ComparisonRules, IgnoredBox
from .content import ResourceType
from .emulation import Geolocation, Media, Viewport
from .extras import BASELINE, IN_LINE, PREVIOUS, SavedForm, Thumbnail
from .image import MAX_FULL_PAGE_HEIGHT, MAX_PIXELS, Clip, ImageFormat
from .model import RenderOptions
from .shots import MAX_SHOTS, ShotOptions
from .wait import WaitUntil
from .wire import WireModel

__all__ = [
    "BASELINE",
    "IN_LINE",
    "MAX_FULL_PAGE_HEIGHT",
    "MAX_PIXELS",
    "MAX_SHOTS",
    "PREVIOUS",
    "BasicAuth",
    "Clip",
    "ComparisonRules",
    "Cookie",
    "Geolocation",
    "IgnoredBox",
    "ImageFormat",
    "Media",
    "RenderOptions",
    "ResourceType",
    "SavedForm",
    "SecretReference",
    "ShotOptions",
    "Thumbnail",
    "Viewport",
    "WaitUntil",
    "WireModel",
]
