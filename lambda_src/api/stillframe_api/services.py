"""What the routes need of the deployment, wired once for a process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.intake import Intake
from stillframe.link_keys import NO_KEYS, LinkKeys
from stillframe.links import Links
from stillframe.record_list import RecordList
from stillframe.settings import Settings
from stillframe.table.table import Table
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.quota import Quotas
from stillframe.tenants.usage import UsageBook

from .callers import Callers
from .signed_links import SignedLinks

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
    callers: Callers
    quotas: Quotas
    usage: UsageBook
    keys: KeyStore
    signed_links: SignedLinks

    @classmethod
    def build(
        cls,
        clients: Clients,
        settings: Settings,
        presigner: S3Client,
        *,
        needs_key: bool = False,
        link_keys: LinkKeys = NO_KEYS,
        clock: Clock | None = None,
    ) -> Services:
        """With `needs_key`, callers are checked by their keys here; without, whoever calls was let in before."""
        clock = clock or SystemClock()
        table = Table(clients.dynamodb, settings.table_name)
        usage = UsageBook(table, clock)
        keys = KeyStore(clients, settings, clock)
        intake, archive, links = Intake(clients, settings, clock), Archive(clients, settings), Links(presigner)
        return cls(
            clients,
            settings,
            intake,
            archive,
            RecordList(clients, settings),
            links,
            Callers(keys if needs_key else None, settings),
            Quotas(table, usage, clock),
            usage,
            keys,
            SignedLinks(link_keys, intake, archive, links, clock),
        )
