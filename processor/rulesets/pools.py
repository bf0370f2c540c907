"""Many small overlays in few matchers.

A matcher costs about a megabyte and a third of a millisecond per batch, however few terms it holds, and a thousand
tenants may have a line each in one batch. So small overlays share a matcher, whose finds tell whose term they are. What
is new gets a pool of its own at once; when there are many small ones, they are put together. What has left a pool stays
in it, dead, until then. An overlay with many terms, and a candidate, has a matcher for itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from processor.ruleset import Overlay, Pool
from processor.rulesets.compile import compile_pool

POOL_TERMS = 2_000
"""About how many terms a pool holds: more make a publication wait longer for its pool, fewer make more pools."""
_SMALL_POOLS = 8  # so many may be less than half full

Overlays = Mapping[str, Overlay]  # by tenant


def repool(pools: Sequence[Pool], overlays: Overlays) -> list[Pool]:
    """Pools in which all of `overlays` stand that have no matcher of their own; slow, thread-safe.

    Pools that are given are kept, since what they hold may still be in force, unless their living are few and they
    stand in a new pool too.
    """
    living = {id(pool): _living(pool, overlays) for pool in pools}
    housed = {tenant for members in living.values() for tenant in members}
    homeless = {t: each for t, each in overlays.items() if each.matcher is None and t not in housed}
    small = [pool for pool in pools if living[id(pool)] and 2 * _terms(living[id(pool)]) < POOL_TERMS]
    if len(small) + (1 if homeless else 0) > _SMALL_POOLS:
        for pool in small:
            homeless.update(living[id(pool)])
    return [*map(compile_pool, _packed(homeless)), *pools]


def by_tenant(pools: Iterable[Pool], overlays: Overlays) -> dict[str, Pool]:
    """The pool of each tenant whose overlay stands in one; the first counts."""
    found: dict[str, Pool] = {}
    for pool in pools:
        for tenant in _living(pool, overlays):
            found.setdefault(tenant, pool)
    return found


def _living(pool: Pool, overlays: Overlays) -> dict[str, Overlay]:
    return {tenant: each for tenant, each in pool.members.items() if overlays.get(tenant) is each}


def _packed(overlays: Overlays) -> Iterator[dict[str, Overlay]]:
    """The overlays in groups of about `POOL_TERMS` terms."""
    group: dict[str, Overlay] = {}
    held = 0
    for tenant, overlay in overlays.items():
        if group and held + len(overlay.meanings) > POOL_TERMS:
            yield group
            group, held = {}, 0
        group[tenant] = overlay
        held += len(overlay.meanings)
    if group:
        yield group


def _terms(overlays: Overlays) -> int:
    return sum(len(overlay.meanings) for overlay in overlays.values())
