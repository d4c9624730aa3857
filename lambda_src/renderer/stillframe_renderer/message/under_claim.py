"""Running work under a claim: the Powertools idempotency utility, with its errors told apart."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)

from stillframe.errors import CaptureError, IdConflict, ServiceUnavailable
from stillframe.request.message import Delivery
from stillframe.table.claim import Claim

logger = logging.getLogger(__name__)


class InvocationContext(Protocol):
    """What is used of the Lambda context: the time after which this worker can no longer be running."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the runtime ends this invocation."""


def under_claim(
    claim: Claim, delivery: Delivery, context: InvocationContext, work: Callable[[], dict[str, Any]]
) -> bool:
    """Claim, work, complete with what the work returned; returns whether the claim was won.

    When it was lost, `claim.found` is the record in the way. When the work raises, the claim is released
    and the error goes on. Raises IdConflict when the id belongs to another request, ClaimLost when the
    lease ran out meanwhile, ServiceUnavailable when the table did not answer.
    """

    def guarded(*, identity: dict[str, str]) -> dict[str, Any]:
        return work()

    config = IdempotencyConfig(
        event_key_jmespath="id",
        payload_validation_jmespath="payload",
        raise_on_no_idempotency_key=True,
        # Read at the moment of the claim, once for each delivery: a lease is never that of a past invocation.
        lambda_context=context,  # type: ignore[arg-type]
    )
    run = idempotent_function(guarded, data_keyword_argument="identity", persistence_store=claim, config=config)
    try:
        run(identity={"id": delivery.id, "payload": delivery.request.payload_hash})
    except IdempotencyValidationError as error:
        raise IdConflict(
            f"the id {delivery.id} belongs to a request with another url or other options; use a new requestId"
        ) from error
    except IdempotencyAlreadyInProgressError:
        return False
    except IdempotencyPersistenceLayerError as error:
        raise _cause_of(error) from error
    return claim.found is None


def _cause_of(error: IdempotencyPersistenceLayerError) -> CaptureError:
    """The claim's own error where it raised one; any other is AWS's."""
    cause = error.__cause__
    return cause if isinstance(cause, CaptureError) else ServiceUnavailable(f"table: {cause}")
