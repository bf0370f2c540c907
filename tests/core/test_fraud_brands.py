"""Web addresses against the names people trust."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.fraud.brands import LINKS, Brands, read_brands
from processor.rulesets.directory import builtin

TABLE = {
    "brands": {"icbc": {"names": ["工商银行"], "domains": ["icbc.com.cn"]}, "paypal": {"domains": ["paypal.com"]}},
    "known": ["bilibili.com", "gov.cn"],
    "shorteners": ["t.cn"],
    "cheap": ["top", "xyz"],
}


def brands(document: object = TABLE) -> Brands:
    problems: list[str] = []
    read = read_brands(document, problems)  # type: ignore[arg-type]  # wrong documents are tried as well
    assert problems == []
    return read


@pytest.mark.parametrize(
    ("domain", "kinds"),
    [
        ("wap.icbc.com.cn", {"known_link"}),
        ("m.bilibili.com", {"known_link"}),
        ("t.cn", {"short_link"}),
        ("example.com", {"odd_link"}),
        ("example.top", {"odd_link", "cheap_link"}),
        ("192.0.2.7", {"odd_link", "cheap_link"}),
        ("icbc-login.top", {"odd_link", "cheap_link", "lookalike_link"}),
        ("paypal.com.example.org", {"odd_link", "lookalike_link"}),
        ("paypa1.com", {"odd_link", "lookalike_link"}),
        ("paypall.net", {"odd_link", "lookalike_link"}),
        ("papyal.net", {"odd_link", "lookalike_link"}),
    ],
)
def test_a_domain_is_a_brands_own_or_odd_or_looks_like_one(domain: str, kinds: set[str]) -> None:
    assert brands().classify(domain) == kinds


@given(st.from_regex(r"[a-z0-9-]{1,12}(\.[a-z0-9-]{1,12}){1,4}", fullmatch=True))
def test_any_domain_is_classified(domain: str) -> None:
    kinds = brands().classify(domain)
    assert kinds
    assert kinds <= set(LINKS)


def test_what_is_wrong_with_a_table_is_told() -> None:
    problems: list[str] = []
    read_brands({"brands": {"a": {"domain": ["a.com"]}}, "known": "b.com", "other": []}, problems)
    assert problems == [
        "brands: a must be a mapping with names and domains",
        "brands: known must be a list of words",
        "brands: unknown field 'other'",
    ]


def test_the_built_in_table_knows_its_own_domains() -> None:
    table = brands(builtin().fraud.brands)
    assert {domain for domain in table.owned if "known_link" not in table.classify(domain)} == set()
