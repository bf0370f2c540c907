"""Letting go of a ruleset that is no longer in force, without holding up the judge.

A ruleset is hundreds of thousands of values. Python frees them all in one go, in whichever thread drops the last
reference, and every other thread waits. So the elements of the large containers are held one by one, and then
dropped one by one, parents before children: between any two of them others get their turn.
"""

import gc
from collections.abc import Collection, Iterable
from enum import Enum

_LARGE = 256  # elements; what is smaller goes together with what holds it
_CONTAINERS = (list, tuple, dict, set, frozenset)


def release(worn: list[object], kept: Collection[object] = ()) -> None:
    """Empty the list `worn` and free what nobody else holds. Takes its time, so call it in a thread.

    What is known to be `kept` by others is not looked into.
    """
    held = worn[:]
    worn.clear()
    opened = set(map(id, kept))
    for each in held:  # which grows meanwhile
        if id(each) not in opened and (inside := _inside(each)):
            opened.add(id(each))
            held.extend(inside)
    each = None
    for place in range(len(held)):
        held[place] = None


def _inside(value: object) -> Iterable[object]:
    """What `value` holds, if that is much: the elements of a large container, the fields of our own objects."""
    if isinstance(value, _CONTAINERS):
        return gc.get_referents(value) if len(value) > _LARGE else ()
    if isinstance(value, type | Enum) or not type(value).__module__.startswith("processor."):
        return ()
    return list(vars(value).values()) if hasattr(value, "__dict__") else gc.get_referents(value)
