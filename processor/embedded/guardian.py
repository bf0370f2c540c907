"""A small process that outlives its parent just long enough to clean up after it.

Run by path with the standard library only (`python -I -S guardian.py chatguard-kafka-`), in a session of its own, so
neither Ctrl-C in a terminal nor the death of the parent, SIGKILL included, can reach it or the service it runs.
It makes a data directory, starts and ends one child process as told on standard input (one JSON object a line, one
answer a line on standard output), and when told to close, when that pipe closes or when the parent is gone, it ends the
child and removes the directory.

    > {"start": ["java", …], "log": "/…/kafka.log"}      < {"pid": 4711}
    > {"end": 15, "within": 10.0}                        < {"code": 143}     SIGKILL follows after `within` seconds
    > {"poll": true}                                     < {"code": null}    null: still running
    > {"close": true}

Only if guardian and parent are both killed does the directory stay; the next guardian to start removes it.
"""

import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PARENT_CHECK_S = 1.0
PR_SET_PDEATHSIG = 1
LEFT_BEHIND_S = 60.0
NOT_FOR_OURS = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
"""Variables that would change what the child does; what it needs stands on its command line."""


def die_with_guardian() -> None:
    """Run in the child before exec: on Linux the kernel kills it should the guardian itself be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(argv: list[str], log: str, directory: Path) -> "subprocess.Popen[bytes]":
    with Path(log).open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - what the parent, which is our own code, asks for
            argv,
            env={name: value for name, value in os.environ.items() if name not in NOT_FOR_OURS},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=directory,
            preexec_fn=die_with_guardian,  # noqa: PLW1509 - this process has one thread, forever
        )


def end(child: "subprocess.Popen[bytes]", with_signal: int, within: float) -> int:
    """Ask the child to end by `with_signal`; make it after `within` seconds. Returns its exit code."""
    child.send_signal(with_signal)
    try:
        return child.wait(within)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def commands(parent: int) -> Iterator[dict[str, Any]]:
    """What the parent asks for, until it closes the pipe or is gone.

    The pipe alone would not do: a forked child of the parent may hold its other end open.
    """
    pending = b""
    while os.getppid() == parent:
        ready, _, _ = select.select([0], [], [], PARENT_CHECK_S)
        if not ready:
            continue
        chunk = os.read(0, 65536)
        if not chunk:
            return
        *lines, pending = (pending + chunk).split(b"\n")
        for command in map(json.loads, lines):
            if "close" in command:
                return
            yield command


def answer(reply: dict[str, Any]) -> None:
    os.write(1, json.dumps(reply).encode() + b"\n")


def serve(directory: Path, parent: int) -> None:
    child: subprocess.Popen[bytes] | None = None
    try:
        answer({"directory": str(directory)})
        for command in commands(parent):
            match command:
                case {"start": argv, "log": log}:
                    if child:
                        end(child, signal.SIGKILL, 0.0)
                    try:
                        child = start(argv, log, directory)
                        answer({"pid": child.pid})
                    except OSError as error:
                        answer({"error": str(error)})
                case {"end": with_signal, "within": within}:
                    answer({"code": end(child, with_signal, within) if child else 0})
                case {"poll": _}:
                    answer({"code": child.poll() if child else 0})
    except BrokenPipeError:
        pass  # the parent died between its question and our answer
    finally:
        if child:
            end(child, signal.SIGKILL, 0.0)  # nothing of it is kept, so there is nothing to finish in good order


def remove_left_behind(prefix: str) -> None:
    """Remove the directories of guardians that were killed: nobody holds the lock on them any more."""
    for directory in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        try:
            if directory.stat().st_mtime > time.time() - LEFT_BEHIND_S:  # perhaps made just now and not yet locked
                continue
            held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone by now, or somebody else's
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
        except OSError:
            pass  # in use
        finally:
            os.close(held)


def main() -> None:
    parent = os.getppid()
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    prefix = sys.argv[1]
    remove_left_behind(prefix)
    try:
        directory = Path(tempfile.mkdtemp(prefix=prefix))
    except OSError as error:
        answer({"error": str(error)})
        return
    fcntl.flock(os.open(directory, os.O_RDONLY), fcntl.LOCK_EX)  # held until this process ends
    try:
        serve(directory, parent)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
