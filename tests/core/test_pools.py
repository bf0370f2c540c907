"""Small overlays that share a matcher: each tenant's messages are judged as if it had one for itself."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.judge import judge
from processor.model import Severity
from processor.ruleset import Overlay, Pool, Rules
from processor.rulesets import pools as module
from processor.rulesets.compile import compile_overlay, compile_pool
from processor.rulesets.document import Entry, OverlayDocument
from processor.rulesets.pools import by_tenant, repool
from processor.stream.codec import decode_all
from tests.core.test_judge import Given, raw, rules

BASE = rules(("海洛因", "drugs", Severity.HIGH)).base
WORDS = ("竞品", "优惠券", "海洛因", "spam", "加微信", "品牌")
TEXTS = ("买竞品送优惠券", "出售海-洛因", "S P A M spam", "家薇信", "品牌好", "晚上吃饭", "加 微 信 jingpin")
severities = st.sampled_from(list(Severity))
overlay_parts = st.tuples(st.dictionaries(st.sampled_from(WORDS), severities), st.sets(st.sampled_from(WORDS)))
lines = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(TEXTS)), max_size=12)


def overlay(tenant: str, terms: Mapping[str, Severity], allow: set[str] | None = None, *, alone: bool) -> Overlay:
    document = OverlayDocument(
        tenant=tenant,
        lexicons={"own": [Entry(term=term, severity=severity) for term, severity in terms.items()]},
        allow=sorted(allow or ()),
    )
    return compile_overlay(document, version=1, digest="cd" * 32, alone=alone)


def small(tenant: str, *terms: str) -> Overlay:
    return overlay(tenant, dict.fromkeys(terms, Severity.HIGH), alone=False)


def judged(messages: Sequence[tuple[int, str]], rules: Rules) -> list[object]:
    values = [raw(text, n, tenant_id=f"t{who}", conversation_id=f"c{n}") for n, (who, text) in enumerate(messages)]
    items, times = decode_all([Given(value=value) for value in values])
    return list(judge(items, times, rules, {}).each)


@settings(max_examples=20)
@given(st.lists(overlay_parts, max_size=5), lines)
def test_a_tenant_is_judged_in_a_pool_as_with_a_matcher_of_its_own(
    parts: list[tuple[dict[str, Severity], set[str]]], messages: list[tuple[int, str]]
) -> None:
    each = {f"t{n}": part for n, part in enumerate(parts)}
    alone = {tenant: overlay(tenant, *part, alone=True) for tenant, part in each.items()}
    pooled = {tenant: overlay(tenant, *part, alone=False) for tenant, part in each.items()}
    together = Rules(base=BASE, overlays=pooled, pools=by_tenant(repool([], pooled), pooled))
    assert judged(messages, together) == judged(messages, Rules(base=BASE, overlays=alone))


def test_a_term_that_several_tenants_have_stands_in_the_pool_once() -> None:
    pool = compile_pool({f"t{n}": small(f"t{n}", "竞品", f"自家{n}号") for n in range(5)})
    assert len(pool.owners) == 6
    assert {len(owner) for owner in pool.owners} == {1, 5}


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=40))
def test_whatever_comes_and_goes_everybody_stands_in_a_pool_and_the_pools_stay_few(
    changes: list[tuple[int, int]],
) -> None:
    overlays: dict[str, Overlay] = {}
    pools: list[Pool] = []
    for tenant, terms in changes:
        if terms:
            overlays[f"t{tenant}"] = small(f"t{tenant}", *WORDS[:terms])
        else:
            overlays.pop(f"t{tenant}", None)
        pools = repool(pools, overlays)
        found = by_tenant(pools, overlays)
        assert found.keys() == overlays.keys()
        assert all(found[tenant].members[tenant] is each for tenant, each in overlays.items())
        used = set(map(id, found.values()))
        pools = [pool for pool in pools if id(pool) in used]
        assert len(pools) <= 9


def test_pools_are_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POOL_TERMS", 10)
    overlays = {f"t{n}": small(f"t{n}", *WORDS[:4]) for n in range(20)}
    assert [len(pool.members) for pool in repool([], overlays)] == [2] * 10
