"""Quix Streams, exactly once: decode, match, route to two topics; daachorse for the terms."""

import sys
from pathlib import Path
from typing import Any

import daachorse
import orjson
from quixstreams import Application


def main() -> None:
    kafka, prefix, group, terms = sys.argv[1:]
    find = daachorse.CharwiseDoubleArrayAhoCorasick(Path(terms).read_text("utf-8").splitlines()).find
    app = Application(
        broker_address=kafka,
        consumer_group=group,
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        commit_every=10_000,  # the default, five seconds, would keep readers waiting as long
        commit_interval=1,
        consumer_poll_timeout=0.2,
        auto_create_topics=False,
        loglevel="WARNING",
    )
    raw, delivered, flagged = (
        app.topic(f"{prefix}{name}", value_deserializer="bytes", value_serializer="bytes")
        for name in ("raw", "delivered", "flagged")
    )

    def where(value: bytes, _key: Any, _timestamp: int, _headers: Any) -> Any:
        try:
            return flagged if find(orjson.loads(value)["content"]) else delivered
        except (ValueError, KeyError, TypeError):
            return flagged

    app.dataframe(raw).to_topic(where)
    app.run()


if __name__ == "__main__":
    main()
