"""The network between a worker and AWS, with the SDK's retries: calls are lost, or take effect late or twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from .aws.errors import client_error
from .scheduler import Died, Process, Scheduler, Task

ENDPOINT = "https://aws.example"
# The SDK's attempts per call (stillframe.clients), and how long it waits for an answer.
SDK_ATTEMPTS = 4
READ_TIMEOUT_MS = 7_000

THROTTLED = {"PutObject": ("SlowDown", 503), "HeadObject": ("503", 503)}


class Fault(Enum):
    """What goes wrong with one attempt of one call."""

    THROTTLED = "is throttled"
    SERVER_ERROR = "gets a 500 before taking effect"
    LOST_REQUEST = "does not arrive"
    LATE_ERROR = "takes effect, but gets a 500"
    LOST_ANSWER = "takes effect, but its answer is lost"
    LATE_EFFECT = "times out, and takes effect later"
    KILLED_BEFORE = "does not take effect: its process is killed"
    KILLED_AFTER = "takes effect, then its process is killed"
    STALLED_BEFORE = "is delayed: its process stalls"
    STALLED_AFTER = "takes effect, then its process stalls"
    CONTENDED = "conflicts with another conditional write (409)"


# Each fault is drawn as often as it occurs here.
FAULTS = (*Fault, Fault.LOST_ANSWER, Fault.LATE_EFFECT, Fault.KILLED_AFTER, Fault.KILLED_BEFORE)


@dataclass(frozen=True)
class Weather:
    """How bad the network is. Probabilities are per attempt of a call; latency and stalls are in milliseconds."""

    fault_probability: float = 0.0
    outage_probability: float = 0.0
    latency_ms: int = 3
    max_stall_ms: int = 100_000


class Network:
    """Decides at random what happens to each call."""

    def __init__(self, scheduler: Scheduler, weather: Weather) -> None:
        self._scheduler = scheduler
        self.weather = weather
        # The task whose call is taking effect. A late call may outlive its task.
        self.author: Task | None = None

    def client(self, service: Any, process: Process) -> Any:
        """The service as the given process sees it."""
        return RemoteClient(service, process, self)

    def call(self, process: Process, name: str, send: Callable[[], Any]) -> Any:
        """Make one call with the SDK's retries. Raises what boto3 would raise, or Died."""
        scheduler, rng = self._scheduler, self._scheduler.rng
        if process.cannot(name):
            scheduler.sleep(rng.randint(0, self.weather.latency_ms))
            scheduler.log(scheduler.current.name, f"{name} is denied")
            raise client_error(_operation(name), "AccessDenied", 403)
        send = self._with_author(send)
        outage = rng.random() < self.weather.outage_probability
        error: Exception = AssertionError("unreachable")
        for attempt in range(SDK_ATTEMPTS):
            scheduler.sleep(rng.randint(0, self.weather.latency_ms))
            fault = self._draw(outage)
            try:
                return self._attempt(process, name, send, fault)
            except (ClientError, ConnectionClosedError, ReadTimeoutError) as failure:
                error = failure
                if not _is_retried(failure):
                    raise
            scheduler.log(scheduler.current.name, f"{name}: attempt {attempt + 1} failed")
            scheduler.sleep(rng.randint(0, 1000 * 2**attempt))
        raise error

    def _with_author(self, send: Callable[[], Any]) -> Callable[[], Any]:
        author = self._scheduler.current

        def take_effect() -> Any:
            self.author = author
            try:
                return send()
            finally:
                self.author = None

        return take_effect

    def _draw(self, outage: bool) -> Fault | None:
        rng = self._scheduler.rng
        if outage:
            return rng.choice((Fault.SERVER_ERROR, Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.LATE_ERROR))
        return rng.choice(FAULTS) if rng.random() < self.weather.fault_probability else None

    def _attempt(self, process: Process, name: str, send: Callable[[], Any], fault: Fault | None) -> Any:
        scheduler = self._scheduler
        if fault is not None:
            scheduler.log(scheduler.current.name, f"{name} {fault.value}")
            self._before(process, name, send, fault)
        # A call that AWS refuses has no effect, but its answer can be lost or late like any other.
        refusal: ClientError | None = None
        answer: Any = None
        try:
            answer = send()
        except ClientError as error:
            refusal = error
        scheduler.log(scheduler.current.name, f"{name} -> {refusal.response['Error']['Code'] if refusal else 'ok'}")
        if fault is not None:
            self._after(process, name, fault)
        scheduler.sleep(scheduler.rng.randint(0, self.weather.latency_ms))
        if refusal is not None:
            raise refusal
        return answer

    def _before(self, process: Process, name: str, send: Callable[[], Any], fault: Fault) -> None:
        scheduler, operation = self._scheduler, _operation(name)
        if fault is Fault.THROTTLED:
            code, status = THROTTLED.get(operation, ("ThrottlingException", 400))
            raise client_error(operation, code, status)
        if fault is Fault.SERVER_ERROR:
            raise client_error(operation, "InternalError", 500)
        if fault is Fault.CONTENDED and operation == "PutObject":
            raise client_error(operation, "ConditionalRequestConflict", 409)
        if fault is Fault.LOST_REQUEST:
            raise ConnectionClosedError(endpoint_url=ENDPOINT)
        if fault is Fault.KILLED_BEFORE:
            scheduler.die(f"before {name}")
        if fault is Fault.STALLED_BEFORE:
            self.stall(process)
        if fault is Fault.LATE_EFFECT:
            scheduler.after(scheduler.rng.randint(1, 200_000), lambda: self._take_late_effect(name, send))
            scheduler.sleep(READ_TIMEOUT_MS)
            raise ReadTimeoutError(endpoint_url=ENDPOINT)

    def _after(self, process: Process, name: str, fault: Fault) -> None:
        scheduler = self._scheduler
        if fault is Fault.LATE_ERROR:
            raise client_error(_operation(name), "InternalError", 500)
        if fault is Fault.LOST_ANSWER:
            scheduler.sleep(READ_TIMEOUT_MS)
            raise ReadTimeoutError(endpoint_url=ENDPOINT)
        if fault is Fault.KILLED_AFTER:
            scheduler.die(f"after {name}")
        if fault is Fault.STALLED_AFTER:
            self.stall(process)

    def stall(self, process: Process) -> None:
        """Stall the whole process, as a paused container, a frozen disk or a starved machine does."""
        scheduler = self._scheduler
        process.paused_until_ms = scheduler.now_ms + scheduler.rng.randint(1, self.weather.max_stall_ms)
        scheduler.sleep(0)

    def _take_late_effect(self, name: str, send: Callable[[], Any]) -> None:
        try:
            send()
        except ClientError as error:
            self._scheduler.log("network", f"late {name} -> {error.response['Error']['Code']}")
        else:
            self._scheduler.log("network", f"late {name} -> ok")


class RemoteClient:
    """A service as one process sees it: the same methods, called over the network."""

    def __init__(self, service: Any, process: Process, network: Network) -> None:
        self._service = service
        self._process = process
        self._network = network

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._service, name)

        def call(**arguments: Any) -> Any:
            if not self._process.alive:
                raise Died
            return self._network.call(self._process, name, lambda: method(**arguments))

        return call


def _operation(name: str) -> str:
    """The operation's name: `PutObject` for `put_object`."""
    return name.title().replace("_", "")


def _is_retried(error: Exception) -> bool:
    """Whether boto3's standard mode retries the error: transport errors, throttling, 5xx."""
    if not isinstance(error, ClientError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= 500 or error.response["Error"]["Code"] == "ThrottlingException"
