"""Write `jars.lock` for another version of Kafka.

python -m processor.embedded.pin org.apache.kafka:kafka_2.13:4.1.1 org.slf4j:slf4j-simple:1.7.36 > jars.lock.new
"""

import hashlib
import sys
from pathlib import Path

import jgo
from jgo.config import GlobalSettings

from processor.embedded.jars import maven_mirror


def pin(endpoint: str) -> str:
    """The lock file for what Maven resolves for the endpoint, whose parts stand joined by `+`; fetches every jar."""
    settings = GlobalSettings.load()
    artifacts = jgo.resolve(endpoint, repositories=maven_mirror() | settings.repositories)
    lines = []
    for artifact in artifacts:
        content = Path(artifact.resolve()).read_bytes()
        coordinates = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
        lines.append(f"{coordinates} {len(content)} {hashlib.sha256(content).hexdigest()}\n")
    return f"# {endpoint.replace('+', ' ')}\n" + "".join(sorted(lines))


if __name__ == "__main__":
    sys.stdout.write(pin("+".join(sys.argv[1:])))
