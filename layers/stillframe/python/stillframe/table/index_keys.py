"""The keys that an index has of records, whose details are read from the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from stillframe.aws_errors import error_code
from stillframe.table.attributes import ID, INDEX_SHARD, UPDATED_AT, to_attributes
from stillframe.table.record import FORMER_INDEX_NAME, INDEX_NAME

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A table has no index of this name yet, or is still filling it, when it cannot be asked (DynamoDB, "Managing global
# secondary indexes"), or the policies of the caller are of a version without it.
UNREADABLE = ("ValidationException", "AccessDeniedException")


class IndexKeys:
    """Reads the index of unfinished and failed records. Raises ClientError or BotoCoreError.

    While a deployment is upgraded, the former index is read, which has the same keys.
    """

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table_name = table_name

    def page(
        self, shard: str, since_ms: int = 0, limit: int | None = None, start: dict[str, Any] | None = None
    ) -> tuple[list[str], dict[str, Any] | None]:
        """The ids of a partition by time (milliseconds since the epoch), and where the next page starts, if anywhere.

        An index is eventually consistent: a record may have left the partition, or have become another's.
        """
        arguments: dict[str, Any] = {
            "TableName": self._table_name,
            "KeyConditionExpression": f"{INDEX_SHARD} = :shard AND {UPDATED_AT} >= :since",
            "ExpressionAttributeValues": to_attributes({":shard": shard, ":since": since_ms}),
            "ProjectionExpression": ID,
            **({"Limit": limit} if limit is not None else {}),
            **({"ExclusiveStartKey": start} if start is not None else {}),
        }
        try:
            answer = self._client.query(IndexName=INDEX_NAME, **arguments)
        except ClientError as error:
            if error_code(error) not in UNREADABLE:
                raise
            answer = self._read_former(error, arguments)
        return [item[ID]["S"] for item in answer["Items"]], answer.get("LastEvaluatedKey")

    def _read_former(self, cause: ClientError, arguments: dict[str, Any]) -> Any:
        try:
            return self._client.query(IndexName=FORMER_INDEX_NAME, **arguments)
        except ClientError as error:
            if error_code(error) in UNREADABLE:
                raise cause from error
            raise
