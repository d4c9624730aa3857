"""The shape of a schedule: which workers there are, and how often each kind of fault occurs."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .network import Weather

FUNCTION_TIMEOUT_MS = 60_000
FAULT_PROBABILITIES = (0.0, 0.01, 0.03, 0.08, 0.2)


@dataclass(frozen=True)
class Plan:
    """The shape of a schedule, drawn from its seed."""

    seed: int
    ids: int
    messages: int
    functions: int
    consumers: int
    batch_size: int
    visibility_seconds: int
    max_receive_count: int
    weather: Weather
    mishaps: float
    duplicate_probability: float
    spread_ms: int
    redrives: int
    prompt_redrive: bool
    # Whether a redrive marks the messages that it moves; AWS's own redrive does not.
    is_marked: bool
    # How often a message is delivered after its deletion.
    ghost_probability: float
    # Captures at once to one host; all pages of a schedule have the same host. 0 means no limit.
    per_host: int
    # How many messages are sent when the records have expired, for the same ids.
    later_messages: int
    # How likely each worker is to turn sick, and for how long at most, in milliseconds.
    sickness_probability: float
    max_sickness_ms: int
    # What workers are told about the queue; they ask it themselves.
    told_receive_count: int
    has_redrive_policy: bool
    # Whether the notifier's event source has its filter.
    is_filtered: bool
    # How likely a message has `freshFor` in place of an id, and how long its windows are.
    fresh_probability: float
    fresh_seconds: int
    # How many shots a render makes at most. Each makes another number.
    max_shots: int

    @property
    def own_limit(self) -> int | None:
        """After how many receives workers give a message up themselves, because SQS does not.

        None if SQS does, and if calls fail: then a worker may be unable to move the message.
        """
        can_fail = self.weather.fault_probability or self.weather.outage_probability
        return None if self.has_redrive_policy or can_fail else self.told_receive_count

    @classmethod
    def draw(cls, seed: int) -> Plan:
        rng = random.Random(f"plan of {seed}")
        functions = rng.choice((0, 1, 2, 3))
        consumers = rng.choice((0, 1, 2)) or (functions == 0)
        ids = rng.choice((1, 1, 1, 2))
        redrives = rng.choice((0, 0, 1, 2))
        prompt_redrive = rng.random() < 0.3
        is_marked = rng.random() < 0.7
        max_receive_count = rng.choice((2, 3, 5, 5))
        # From a generator of its own, so that the plan of a seed is otherwise what it was.
        health = random.Random(f"health of {seed}")
        events = random.Random(f"events of {seed}")
        shots = random.Random(f"shots of {seed}")
        return cls(
            seed=seed,
            ids=ids,
            messages=ids + rng.choice((0, 1, 1, 2, 3)),
            functions=functions,
            consumers=consumers,
            batch_size=rng.choice((1, 1, 2, 3)),
            # For functions: 6 times their timeout (AWS's rule). Consumers work with any.
            visibility_seconds=6 * FUNCTION_TIMEOUT_MS // 1000 if functions else rng.choice((30, 60, 360)),
            max_receive_count=max_receive_count,
            weather=Weather(
                fault_probability=rng.choice(FAULT_PROBABILITIES),
                outage_probability=rng.choice((0.0, 0.0, 0.02, 0.1)),
                latency_ms=rng.choice((0, 3, 50)),
            ),
            mishaps=rng.choice((0.0, 0.1, 0.3, 0.6)),
            duplicate_probability=rng.choice((0.0, 0.1, 0.4)) if is_marked else 0.0,
            spread_ms=rng.choice((0, 10, 5_000, 600_000)),
            redrives=redrives,
            prompt_redrive=prompt_redrive,
            is_marked=is_marked,
            # Not promised (docs/guarantees.md): AWS's own redrive together with messages that SQS delivers twice or
            # after their deletion.
            ghost_probability=rng.choice((0.0, 0.1)) if is_marked else 0.0,
            per_host=rng.choice((0, 0, 0, 1, 2)),
            later_messages=rng.choice((0, 0, 0, 1, 2, 3)),
            sickness_probability=health.choice((0.0, 0.0, 0.3, 0.6)),
            max_sickness_ms=health.choice((60_000, 600_000, 3_600_000)),
            told_receive_count=health.choice((max_receive_count, max_receive_count, 3, 20)),
            has_redrive_policy=health.random() < 0.8,
            is_filtered=events.random() < 0.5,
            # AWS's own redrive does not say when a message was sent at first.
            fresh_probability=events.choice((0.0, 0.0, 0.3, 0.7)) if is_marked else 0.0,
            fresh_seconds=events.choice((60, 60, 300, 3600)),
            max_shots=shots.choice((0, 0, 0, 3)),
        )
