"""Bytes that are no chat message, in the ways in which they turn up: cut off, of another encoding, of another kind."""

import gzip
from collections.abc import Callable
from typing import Final

Spoil = Callable[[bytes], bytes]

SPOILED: Final[tuple[Spoil, ...]] = (
    lambda _: b"",
    lambda _: b"null",
    lambda _: b"[]",
    lambda _: b'"just a string"',
    lambda _: b"42",
    lambda _: b"<message><id>7</id></message>",
    lambda _: b"message_id=7&tenant_id=t1&type=text",
    lambda _: b"\x08\x96\x01\x12\x07testing\x1a\x02zh",  # a protobuf
    lambda _: b"\x00\x00\x00\x00\x07\x02\x0cm-1",  # an Avro record behind a schema id
    lambda _: b"[" * 5_000,
    lambda value: value[: len(value) * 2 // 3],
    lambda value: value[1:],
    lambda value: value + b"}",
    lambda value: value + b"\n" + value,
    lambda value: value.replace(b'"', b"'"),
    lambda value: b"\xef\xbb\xbf" + value,
    lambda value: value.decode().encode("utf-16"),
    lambda value: value.decode().encode("gb18030") + b"\xff",
    lambda value: gzip.compress(value, mtime=0),
    lambda value: value.replace(b'"message_id":"', b'"message_id":7,"was":"'),
    lambda value: value.replace(b'"message_id"', b'"id"'),
    lambda value: value.replace(b'"sender_id":"', b'"sender_id":null,"was":"'),
    lambda value: value.replace(b'"sent_at":', b'"sent_at":"yesterday","was":'),
    lambda value: value.replace(b'"content":', b'"content":{"text":1},"was":'),
    lambda value: value.replace(b'"type":"text"', b'"type":"text\xff"'),
    lambda value: value.replace(b'"type":"text"', b'"type":""'),
    lambda value: value.replace(b'"type":"text"', b'"type":NaN'),
)
