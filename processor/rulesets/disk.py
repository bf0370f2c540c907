"""Last good copies on disk, for a worker that starts while Redis is away.

One file per scope, replaced as a whole; its name is a hash, since a tenant's id may hold anything. Workers may share
the folder: whoever compiled last has written a good copy. A file that was damaged is left out, with a word.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from processor.errors import Invalid, Unavailable
from processor.rulesets.document import Scope
from processor.rulesets.store import Snapshot


class Copy(Struct, frozen=True, kw_only=True):
    """A file's content."""

    scope: str
    snapshot: Snapshot


class Copies:
    """The copies of the rulesets of one store, in a folder of their own below `directory`.

    `store` tells stores apart, e.g. the Redis URL without its password: what one deployment has seen must not come
    into force in another that shares the directory.
    """

    def __init__(self, directory: Path, *, store: str) -> None:
        self._folder = directory / _hash(store)

    def save(self, scope: Scope, snapshot: Snapshot) -> None:
        """Replaces the scope's copy; a crash at any moment leaves the old or the new one. Raises: Unavailable."""
        path = self._path(scope)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _replace(path, msgspec.json.encode(Copy(scope=scope, snapshot=snapshot)))
        except OSError as error:
            raise Unavailable(f"the last good copy of {scope} was not kept: {error.strerror}") from error

    def forget(self, scope: Scope) -> None:
        """Removes the scope's copy, if there is one. Raises: Unavailable."""
        try:
            self._path(scope).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"the last good copy of {scope} was not removed: {error.strerror}") from error

    def load(self) -> tuple[Mapping[Scope, Snapshot], list[str]]:
        """The good copies, verified, and one sentence for each that is not good."""
        copies: dict[Scope, Snapshot] = {}
        problems: list[str] = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                copy = msgspec.json.decode(path.read_bytes(), type=Copy)
                copy.snapshot.verify()
            except (OSError, msgspec.DecodeError, Invalid) as error:
                problems.append(f"the copy {path.name} on disk is left out: {type(error).__name__}: {error}")
            else:
                copies[copy.scope] = copy.snapshot
        return copies, problems

    def _path(self, scope: Scope) -> Path:
        return self._folder / f"{_hash(scope)}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)  # the new name must survive a power cut as well
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
