"""Compiling in a process of its own.

Python runs one thread at a time, and compiling a large ruleset takes it for a second or more. So the worker forks a
compiler before it does anything else; what comes back is read in small pieces, between which the judge goes on. A
ruleset that kills its compiler, as one may that takes all the memory, does not kill the worker.
"""

import gc
import os
import pickle
import signal
import threading
import warnings
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from multiprocessing import get_context
from typing import Any, BinaryIO, NamedTuple, Self, cast

from processor.errors import Invalid, Unavailable
from processor.ruleset import Base, Ground, Overlay
from processor.rulesets.compile import compile_base, compile_overlay
from processor.rulesets.document import BASE, BaseDocument, Document, Scope, parse, scope_of
from processor.rulesets.limits import TenantLimits
from processor.rulesets.store import Snapshot

_TRIES = 2  # a compiler that was ended by somebody else has a successor


def compile_snapshot(scope: Scope, snapshot: Snapshot, limits: TenantLimits) -> Base | Overlay:
    """What the judge makes use of, from the bytes that were published for `scope`. Raises: Invalid."""
    try:
        document = _document(scope, snapshot, limits)
        if isinstance(document, BaseDocument):
            return compile_base(document, version=snapshot.version, digest=snapshot.digest)
        return compile_overlay(document, version=snapshot.version, digest=snapshot.digest)
    except Invalid:
        raise
    except Exception as error:  # whatever a ruleset does to the compiler, judging goes on with the last good
        raise Invalid([f"compiling failed: {type(error).__name__}: {error}"]) from error


def _document(scope: Scope, snapshot: Snapshot, limits: TenantLimits) -> Document:
    document = parse(snapshot.content)
    if scope_of(document) != scope:
        raise Invalid([f"this is a document for {scope_of(document)}, not for {scope}"])
    if problems := limits.problems(document, len(snapshot.content)):
        raise Invalid(problems)
    return document


class Compiler:
    """`compile_snapshot`, as a process that lives from entering to leaving; one thing at a time, from any thread."""

    def __init__(self, first: Snapshot | None = None) -> None:
        """`first` is a base ruleset that is compiled before the process begins, which then has all its tables."""
        self._turn = threading.Lock()
        self._first = first
        self._ready: Base | None = None  # it, until it is asked for
        self._child: _Child | None = None
        self._closed = False

    def __enter__(self) -> Self:
        ready = compile_snapshot(BASE, self._first, TenantLimits()) if self._first else None
        self._ready = ready if isinstance(ready, Base) else None
        gc.collect()
        gc.freeze()  # so that a collection does not make the two processes' memory differ
        self._child = _fork(self._ready.ground if self._ready else None)
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True  # whoever waits for an answer gets none
        if self._child:
            self._child.end()

    @property
    def pid(self) -> int | None:
        """Of the process that compiles."""
        return self._child.pid if self._child else None

    def __call__(self, scope: Scope, snapshot: Snapshot, limits: TenantLimits) -> Base | Overlay:
        """As `compile_snapshot`. Raises: Invalid, also if the process dies of it; Unavailable, once it is closed."""
        with self._turn:
            if self._ready and snapshot == self._first:
                ready, self._ready = self._ready, None
                return ready
            for _ in range(_TRIES):
                if self._closed:
                    break
                self._child = self._child or _fork()
                try:
                    return self._child.ask(scope, snapshot, limits)
                except (EOFError, OSError, pickle.UnpicklingError):
                    self._child.end()
                    self._child = None
        if self._closed:
            raise Unavailable("the compiler is closed")
        raise Invalid(["the process that compiles rulesets died of it: is there memory enough?"])


class _Answer(NamedTuple):
    compiled: Base | Overlay | None  # a base comes without its ground
    problems: tuple[str, ...] = ()
    ground: Ground | None = None  # of the base, if it is not that of the base before it


class _Child:
    """The process, and the pipes to it and from it."""

    def __init__(self, process: Any, requests: BinaryIO, answers: BinaryIO, ground: Ground | None) -> None:
        self._process, self._requests, self._answers, self._ground = process, requests, answers, ground
        self.pid: int = process.pid

    def ask(self, scope: Scope, snapshot: Snapshot, limits: TenantLimits) -> Base | Overlay:
        """Raises Invalid, and what pipes and pickles raise if the process dies."""
        pickle.dump((scope, snapshot, limits), self._requests)
        self._requests.flush()
        answer: _Answer = pickle.load(self._answers)  # noqa: S301  from our own child
        if answer.compiled is None:
            raise Invalid(answer.problems)
        if not isinstance(answer.compiled, Base):
            return answer.compiled
        self._ground = answer.ground or self._ground
        assert self._ground
        return replace(answer.compiled, ground=self._ground)

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._answers.close()
        with suppress(BrokenPipeError):  # of what it was too late to ask
            self._requests.close()


def _fork(ground: Ground | None = None) -> _Child:
    """A copy of this process that compiles what it is asked to; `ground` is one that both have."""
    asked, asks = os.pipe()
    answers, answered = os.pipe()
    process = get_context("fork").Process(
        target=_serve, args=(asked, answered, ground), name="chatguard-compiler", daemon=True
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads; the copy has none of their locks to wait for
        process.start()
    os.close(asked)
    os.close(answered)
    return _Child(process, os.fdopen(asks, "wb"), os.fdopen(answers, "rb"), ground)


def _serve(asked: int, answered: int, sent: Ground | None) -> None:
    """Answer until nobody can ask any more; the end of the worker, in whatever way, is the end of this."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker ends its open batches first
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _close_all_but({asked, answered})
    gc.disable()
    with os.fdopen(asked, "rb") as requests, os.fdopen(answered, "wb") as answers:
        while True:
            try:
                request = pickle.load(requests)  # noqa: S301  from our own parent
            except EOFError:
                return
            answer, sent = _answer(*request, sent=sent)
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
            del answer
            gc.collect()


def _answer(
    scope: Scope, snapshot: Snapshot, limits: TenantLimits, *, sent: Ground | None
) -> tuple[_Answer, Ground | None]:
    """The answer, and the ground that the worker has after it: most of a base is that, and it seldom changes."""
    try:
        compiled = compile_snapshot(scope, snapshot, limits)
    except Invalid as error:
        return _Answer(None, error.problems), sent
    if not isinstance(compiled, Base):
        return _Answer(compiled), sent
    ground, nothing = compiled.ground, cast("Ground", None)
    return _Answer(replace(compiled, ground=nothing), ground=None if ground is sent else ground), ground


def _close_all_but(kept: set[int]) -> None:
    """Close what was copied from the worker, sockets among them: what it closes must be closed. Standard files stay."""
    for before, after in pairwise([2, *sorted(kept), os.sysconf("SC_OPEN_MAX")]):
        if before + 1 < after:  # to close an empty range closes everything
            os.closerange(before + 1, after)
