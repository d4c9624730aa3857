"""What the routes need of the deployment, wired once for a process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.intake import Intake
from stillframe.links import Links
from stillframe.record_list import RecordList
from stillframe.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Services:
    """The domain, as the API uses it."""

    clients: Clients
    settings: Settings
    intake: Intake
    archive: Archive
    records: RecordList
    links: Links

    @classmethod
    def build(cls, clients: Clients, settings: Settings, presigner: S3Client) -> Services:
        return cls(
            clients,
            settings,
            Intake(clients, settings),
            Archive(clients, settings),
            RecordList(clients, settings),
            Links(presigner),
        )
