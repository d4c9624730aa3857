"""Running a job under a claim: the Powertools idempotency utility, with its errors told apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)

from stillframe.errors import IdConflict
from stillframe.request.message import Delivery
from stillframe.table.claim import Claim


class InvocationContext(Protocol):
    """The part of the Lambda context that a capture needs: when this worker can no longer be running."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the runtime ends this invocation."""


def run_under_claim(
    claim: Claim, delivery: Delivery, context: InvocationContext, job: Callable[..., dict[str, Any]]
) -> bool:
    """Claim, run the job, and complete the record with what it returns. Returns whether the claim was won.

    When it was lost, `claim.found` is the record in the way. When the job raises, the claim is released and the error
    is passed on. Raises IdConflict when the id belongs to another request, ClaimLost when the lease expired in the
    meantime, ServiceUnavailable when the table did not answer.
    """
    config = IdempotencyConfig(
        event_key_jmespath="id",
        payload_validation_jmespath="payload",
        raise_on_no_idempotency_key=True,
        # Read at the moment of the claim, once for each delivery: a lease is never that of a past invocation.
        lambda_context=context,  # type: ignore[arg-type]
    )
    run = idempotent_function(job, data_keyword_argument="identity", persistence_store=claim, config=config)
    try:
        run(identity={"id": delivery.id, "payload": delivery.request.payload_hash})
    except IdempotencyValidationError as error:
        raise IdConflict.of(delivery.id) from error
    except IdempotencyAlreadyInProgressError:
        return False
    except IdempotencyPersistenceLayerError as error:
        # Powertools wraps whatever the claim raised.
        raise error.__cause__ or error from error
    return claim.found is None
