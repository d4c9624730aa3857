"""Clients for programs: over the HTTP API, or directly by queue, table and bucket.

client = ApiClient("https://abc.execute-api.eu-central-1.amazonaws.com", key="stillframe_...")
image = client.capture("https://example.com/", options={"fullPage": True})
"""

from stillframe.client.api import ApiClient
from stillframe.client.asynchronous import AsyncClient
from stillframe.client.base import CaptureFailed, Client, NotInTime, Sent
from stillframe.client.queue import QueueClient
from stillframe.client.transport import ApiError

__all__ = ["ApiClient", "ApiError", "AsyncClient", "CaptureFailed", "Client", "NotInTime", "QueueClient", "Sent"]
