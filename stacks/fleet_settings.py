"""The settings of the fleet."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from .values import TaskCpu


class FleetSettings(BaseModel):
    """A part of the configuration of a deployment."""

    # 1024 is one vCPU.
    task_cpu: TaskCpu = 1024
    task_memory_mb: Annotated[int, Field(ge=1024, le=61_440)] = 2048
    task_tabs: Annotated[int, Field(ge=1, le=64)] = 6
    # At least 1: without a running task there is no backlog per task, and nothing starts the first one.
    min_tasks: Annotated[int, Field(ge=1, le=5000)] = 3
    max_tasks: Annotated[int, Field(ge=1, le=5000)] = 20
    spot: bool = False
    # When the fleet adds and removes tasks. 0 messages per task is what follows from its CPU: see `backlog_target`.
    backlog_per_task: Annotated[int, Field(ge=0, le=100_000)] = 0
    cpu_percent: Annotated[int, Field(ge=10, le=90)] = 60
    memory_percent: Annotated[int, Field(ge=10, le=90)] = 80
    step_cpu_percent: Annotated[int, Field(ge=20, le=90)] = 85
    scale_out_seconds: Annotated[int, Field(ge=0, le=3600)] = 60
    scale_in_seconds: Annotated[int, Field(ge=0, le=3600)] = 300
