"""Letting go of what is no longer in force."""

import weakref

from processor.fraud.window import Window
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin
from processor.rulesets.release import release


class Value:
    """Something that can be watched."""


def test_what_nobody_else_holds_is_freed() -> None:
    values = [Value() for _ in range(1000)]
    first, last = weakref.ref(values[0]), weakref.ref(values[-1])
    worn: list[object] = [{"values": values}, Window("c")]
    del values
    release(worn)
    assert (worn, first(), last()) == ([], None, None)


def test_what_somebody_else_holds_stays_whole() -> None:
    values = [[number] for number in range(1000)]
    release([values])
    assert values == [[number] for number in range(1000)]


def test_circles_are_no_trap() -> None:
    circle: list[object] = [None] * 1000
    circle[0] = circle
    release([circle])
    assert circle[0] is circle


def test_a_ruleset_that_was_replaced_is_freed_and_one_in_force_is_not() -> None:
    document = builtin()
    old, new = (compile_base(document, version=n, digest="0" * 64) for n in (1, 2))
    gone = weakref.ref(old.own)
    meanings = len(new.meanings)
    worn: list[object] = [old, new]
    in_force = Rules(base=new)
    del old
    release(worn)
    assert gone() is None
    assert len(in_force.base.meanings) == meanings > 0
