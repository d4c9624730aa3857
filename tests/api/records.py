"""Changes records as a worker would, and reads what links lead to."""

from __future__ import annotations

import urllib.request
from typing import Any

from stillframe.image.shot import Shot, ShotFacts
from stillframe.request.options import ImageFormat, Viewport
from stillframe.table.attributes import to_attributes
from tests.support.cloud import Cloud


def set_record(cloud: Cloud, screenshot_id: str, **values: Any) -> None:
    """Change a record as a worker would."""
    cloud.clients.dynamodb.update_item(
        TableName=cloud.settings.table_name,
        Key=to_attributes({"id": screenshot_id}),
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames={f"#{name}": name for name in values},
        ExpressionAttributeValues=to_attributes({f":{name}": value for name, value in values.items()}),
    )


def succeed(cloud: Cloud, screenshot_id: str, data: bytes = b"image") -> None:
    """What a worker leaves behind when it has captured."""
    bucket = cloud.settings.bucket_name
    for key in ("image.png", "thumbnail.png"):
        cloud.clients.s3.put_object(Bucket=bucket, Key=f"{screenshot_id}/{key}", Body=data, ContentType="image/png")
    url = f"s3://{bucket}/{screenshot_id}/"
    extras = {"thumbnail": f"{url}thumbnail.png"}
    shot = Shot(data, ImageFormat.PNG, 8, 6, ShotFacts(name="phone", viewport=Viewport(), device_scale_factor=1.0))
    shots = [shot.stored_at(f"{url}thumbnail.png").to_wire()]
    stored = {"s3Url": f"{url}image.png", "extras": extras, "shots": shots}
    set_record(cloud, screenshot_id, status="success", claimToken="t", **stored)


def fetched(link: str) -> tuple[bytes, str]:
    with urllib.request.urlopen(link, timeout=10) as response:
        return response.read(), response.headers["Content-Type"]
