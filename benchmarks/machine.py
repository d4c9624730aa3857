"""A description of the machine that the benchmarks ran on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from stillframe_renderer.chromium.executable import find_chromium


def describe_machine() -> dict[str, str | int]:
    """Processor, number of usable CPUs, memory, operating system, Python and browser version."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    version = subprocess.run([find_chromium(), "--version"], capture_output=True, text=True, check=False, timeout=20)
    release = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    return {
        "processor": cpu.group(1).strip() if cpu else platform.processor(),
        "cpus": len(os.sched_getaffinity(0)),
        "memoryGb": round(int(memory.group(1)) / 2**20) if memory else 0,
        "system": release.group(1) if release else platform.platform(),
        "python": platform.python_version(),
        "chromium": version.stdout.strip().rpartition(" ")[2] or version.stdout.strip(),
    }
