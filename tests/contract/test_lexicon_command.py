"""`chatguard lexicon` against a real Redis."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis as Client

from processor.embedded import Redis as Server
from processor.errors import Invalid, Misconfigured, Unavailable
from processor.rulesets import benign
from processor.rulesets.directory import read_base
from processor.rulesets.document import canonical
from tests.contract.commands import POLICY, call, lexicon, refusal, said

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("place")]


@pytest.fixture
def redis(server: Server) -> Iterator[Client]:
    with Client.from_url(server.url) as client:
        client.flushall()
        yield client


def shown(*words: str) -> Any:
    return json.loads(said("show", "--json", *words))


def test_pushing_a_directory_makes_it_the_whole_ruleset(redis: Client, place: Path) -> None:
    assert "base: 1@" in said("push", "base")
    assert redis.get("chatguard:ruleset:{base}:v:1") == canonical(read_base(place / "base"))


def test_pushing_a_lexicon_adds_it_to_what_is_in_force(redis: Client) -> None:
    said("push", "base")
    said("push", lexicon("mine.txt", "竞品名,brand,low"), "-m", "as agreed", "--author", "li")
    facts = shown()
    assert facts["document"]["lexicons"] == {
        "a": [{"category": "gambling", "severity": "high", "term": "赌博"}],
        "mine": [{"category": "brand", "severity": "low", "term": "竞品名"}],
    }
    assert [(line["version"], line["by"], line["why"]) for line in facts["history"]] == [
        (2, "li", "as agreed"),
        (1, "tester", "push base"),
    ]


def test_pushing_a_lexicon_before_anything_was_published_adds_it_to_the_builtin_ruleset(redis: Client) -> None:
    builtin = shown()
    assert builtin["version"] == 0
    said("push", lexicon("mine.txt", "竞品名,brand,low"))
    now = shown()
    assert now["version"] == 1
    assert now["document"]["lexicons"] == {
        **builtin["document"]["lexicons"],
        "mine": [{"category": "brand", "severity": "low", "term": "竞品名"}],
    }


def test_pushing_the_same_again_publishes_nothing(redis: Client) -> None:
    said("push", "base")
    assert "already" in said("push", "base")
    assert shown()["version"] == 1


def test_a_dry_run_shows_the_changes_and_publishes_nothing(redis: Client) -> None:
    said("push", "base")
    output = said("push", lexicon("a.txt", "赌博,gambling,low", "新的词"), "--dry-run")
    assert "~ term 赌博: gambling/high → gambling/low" in output
    assert "+ term 新的词: custom/high" in output
    assert shown()["version"] == 1


def test_a_tenants_lexicon_is_an_overlay(redis: Client) -> None:
    said("push", lexicon("mine.txt", "竞品名"), "--tenant", "t1")
    facts = shown("--tenant", "t1")
    assert (facts["scope"], facts["version"], list(facts["document"]["lexicons"])) == ("tenant:t1", 1, ["mine"])
    assert redis.smembers("chatguard:ruleset:scopes") == {b"tenant:t1"}
    assert shown()["version"] == 0


def test_a_tenants_ruleset_is_not_pushed_over_the_base(redis: Client) -> None:
    Path("theirs").mkdir()
    Path("theirs/overlay.yaml").write_text("tenant: t1\nallow: [加油站]\n", encoding="utf-8")
    error = refusal("push", "theirs")
    assert isinstance(error, Invalid)
    assert "for tenant:t1, not for base" in str(error)
    said("push", "theirs", "--tenant", "t1")


def test_what_does_not_compile_is_not_published(redis: Client, place: Path) -> None:
    (place / "base" / "policy.yaml").write_text("actions: none\n")
    assert isinstance(refusal("push", "base"), Invalid)
    assert isinstance(refusal("push", lexicon("bad.txt", "贷", "好的,x,grave")), Invalid)
    assert redis.keys() == []


def test_a_base_that_an_overlay_in_force_does_not_fit_is_not_published(redis: Client, place: Path) -> None:
    said("push", "base")
    Path("theirs").mkdir()
    Path("theirs/overlay.yaml").write_text("policy: {fraud: {review_at: 40}}\n")
    said("push", "theirs", "--tenant", "t1")
    (place / "base" / "policy.yaml").write_text(POLICY.replace("remind_at: 30", "remind_at: 50"))
    error = refusal("push", "base")
    assert isinstance(error, Invalid)
    assert "overlay of t1" in str(error)


def test_a_rollback_returns_to_the_content_before_and_the_history_says_so(redis: Client) -> None:
    said("push", "base")
    first = shown()
    said("push", lexicon("mine.txt", "竞品名"))
    said("rollback")
    now = shown()
    assert (now["version"], now["digest"], now["document"]) == (3, first["digest"], first["document"])
    assert now["history"][0]["why"] == "rollback to 1"
    said("rollback", "--to", "2")
    assert "mine" in shown()["document"]["lexicons"]


def test_there_is_nothing_to_roll_back_to_before_the_first_version(redis: Client) -> None:
    said("push", "base")
    assert isinstance(refusal("rollback"), Invalid)
    assert isinstance(refusal("rollback", "--to", "9"), Invalid)


def test_an_overlay_is_dropped_and_brought_back(redis: Client) -> None:
    said("push", lexicon("mine.txt", "竞品名"), "--tenant", "t1")
    said("drop", "--tenant", "t1")
    assert shown("--tenant", "t1")["version"] == 0
    said("rollback", "--tenant", "t1")
    assert shown("--tenant", "t1")["version"] == 2
    assert isinstance(refusal("drop", "--tenant", "t2"), Invalid)


def test_what_is_in_force_but_damaged_is_replaced_by_pushing_a_whole_ruleset(redis: Client) -> None:
    said("push", "base")
    redis.set("chatguard:ruleset:{base}:v:1", b"damaged")
    assert isinstance(refusal("push", lexicon("mine.txt", "竞品名")), Invalid)
    said("push", "base")
    assert shown()["version"] == 2


def test_lint_counts_errors_and_warnings_and_fails_for_errors_only(redis: Client) -> None:
    good = call("lint", lexicon("w.txt", "云朵杯,fraud", "我要云朵杯,fraud"))
    assert (good.exit_code, good.stdout.splitlines()) == (
        0,
        [
            "warning: w.txt:2: '我要云朵杯' is found anyway, by '云朵杯' in w.txt:1",
            f"2 terms hit 0 of {len(benign.lines()):,} ordinary lines (0.000%)",
            "0 errors, 1 warnings",
        ],
    )
    assert call("lint", "w.txt", "--strict").exit_code == 1
    bad = call("lint", lexicon("b.txt", "贷", "好的词,x,grave"))
    assert (bad.exit_code, bad.stdout.splitlines()) == (
        1,
        [
            "error: b.txt:1: the term '贷' is a single character: it would match nearly everything",
            "error: b.txt:2: unknown severity 'grave': use one of log, low, medium, high",
            "2 errors, 0 warnings",
        ],
    )


def test_lint_tells_programs_where_a_term_stands_and_how_often_it_hits_ordinary_chat() -> None:
    Path("base/lexicons/b.txt").write_text("# greetings\n晚上好,x,high\n", encoding="utf-8")
    Path("mine.chat").write_text("\n".join(f"晚上好啊{n}" for n in range(500)), encoding="utf-8")
    result = call("lint", "base", "--json", "--chat", "mine.chat")
    facts = json.loads(result.stdout)
    [finding] = [each for each in facts["findings"] if each["term"] == "晚上好"]
    assert (result.exit_code, facts["errors"], facts["terms"]) == (1, 1, 2)
    assert (finding["kind"], finding["file"], finding["line"]) == ("everyday", "base/lexicons/b.txt", 2)
    assert finding["hits"] >= 500


def test_lint_holds_an_overlay_against_its_base() -> None:
    Path("theirs").mkdir()
    Path("theirs/overlay.yaml").write_text(
        "tenant: t1\nallow: [聚众赌博]\noff: {terms: [没有的词]}\n", encoding="utf-8"
    )
    output = said("lint", "theirs", "--base", "base")
    assert "warning: theirs/overlay.yaml:3: the base has no term '没有的词'" in output
    assert "聚众赌博" not in output


def overlay(reminders: str, policy: str = "{}") -> str:
    Path("theirs").mkdir(exist_ok=True)
    Path("theirs/overlay.yaml").write_text(f"tenant: t1\npolicy: {policy}\n", encoding="utf-8")
    Path("theirs/reminders.yaml").write_text(reminders, encoding="utf-8")
    return "theirs"


def test_a_tenant_pushes_reminder_texts_of_its_own_and_lint_passes_them(redis: Client) -> None:
    theirs = overlay("# ours\nremind.GJ.v1:\n  en: {title: Stop, body: 'Do not pay, ask {hotline}'}\n")
    assert said("lint", theirs).endswith("0 errors, 0 warnings\n")
    assert "+ reminder remind.GJ.v1" in said("diff", "redis", theirs, "--tenant", "t1")
    said("push", theirs, "--tenant", "t1")
    assert shown("--tenant", "t1")["document"]["reminders"]["remind.GJ.v1"]["en"]["title"] == "Stop"


def test_bad_reminder_texts_and_policies_are_told_by_line_and_not_pushed(redis: Client) -> None:
    theirs = overlay("# ours\nremind.GJ.v1:\n  en: {title: Stop, body: 'Ask {phone}'}\nremind.XX.v1: {}\n")
    result = call("lint", theirs)
    assert "error: theirs/reminders.yaml:2: reminders: remind.GJ.v1: en: body: {phone} is no" in result.output
    assert "error: theirs/reminders.yaml:4: reminders: nobody comes to template 'remind.XX.v1'" in result.output
    assert isinstance(refusal("push", theirs, "--tenant", "t1"), Invalid)
    theirs = overlay("remind.GJ.v7: {en: {title: t, body: b}}\n", "{fraud: {remind_at: 90}, reminder: {per_day: 99}}")
    result = call("lint", theirs)
    assert "remind_at <= review_at" in result.output
    assert "per_day must be 1 to 20" in result.output
    assert isinstance(refusal("push", theirs, "--tenant", "t1"), Invalid)
    assert redis.keys() == []
    theirs = overlay("remind.GJ.v7: {en: {title: t, body: b}}\n")
    assert "warning: theirs/reminders.yaml:1: no rule comes to template 'remind.GJ.v7'" in said("lint", theirs)


def test_the_builtin_ruleset_passes_lint() -> None:
    assert said("lint", "builtin").endswith("0 errors, 0 warnings\n")


def test_lint_and_diff_of_files_need_no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATGUARD_REDIS__URL", "redis://127.0.0.1:1/0")
    assert "0 errors" in said("lint", "base")
    assert "+ term 新的词: custom/high" in said("diff", "base", lexicon("n.txt", "赌博,gambling", "新的词"))
    assert isinstance(refusal("show"), Unavailable)


def test_versions_in_redis_can_be_compared(redis: Client) -> None:
    said("push", "base")
    said("push", lexicon("mine.txt", "竞品名"))
    [change] = json.loads(said("diff", "redis:1", "redis", "--json"))
    assert (change["kind"], change["what"]) == ("added", "竞品名")
    assert isinstance(refusal("diff", "redis:x", "redis"), Misconfigured)


def test_an_exported_ruleset_can_be_pushed_back_unchanged(redis: Client) -> None:
    said("push", "base")
    said("export", "copy")
    assert "already" in said("push", "copy")
    said("export", "copy.json")
    assert "already" in said("push", "copy.json")
    assert isinstance(refusal("export", "copy"), Misconfigured)


def test_a_word_list_is_imported_as_a_lexicon_file() -> None:
    output = said(
        "import", lexicon("words", "甲方、乙方", "丙"), "names.txt", "--category", "names", "--severity", "low"
    )
    assert Path("names.txt").read_text(encoding="utf-8") == "甲方,names,low\n乙方,names,low\n"
    assert output.splitlines() == [
        "words: plain, utf-8, 3 words",
        "names.txt: 2 taken, 0 folded together, 1 refused",
    ]


def test_lists_are_imported_into_a_directory_that_can_be_pushed_as_an_overlay(redis: Client) -> None:
    Path("sensitive_word_deny.txt").write_bytes("云朵杯\n天气\n雲朵杯\n".encode("gb18030"))
    Path("sensitive_word_allow.txt").write_text("天气\n云朵杯预报\n", encoding="utf-8")
    Path("sensitive_word_tags.txt").write_text("云朵杯 3,比赛\n", encoding="utf-8")
    names = ("sensitive_word_deny.txt", "sensitive_word_allow.txt", "sensitive_word_tags.txt")
    facts = json.loads(said("import", *names, "theirs", "--tenant", "t1", "--json"))
    assert (facts["terms"], facts["allowed"], len(facts["folded"]), facts["refused"]) == (3, 2, 2, [])
    said("push", "theirs", "--tenant", "t1")
    document = shown("--tenant", "t1")["document"]
    assert document["allow"] == ["天气", "云朵杯预报"]
    assert document["lexicons"] == {
        "sensitive_word_deny": [{"term": "云朵杯", "category": "gambling", "severity": "high"}]
    }


def test_patterns_and_allowed_words_are_imported_as_yaml(redis: Client) -> None:
    words = lexicon("words.regex", "云.{0,2}杯", "天气")
    assert isinstance(refusal("import", words, "own.txt"), Misconfigured)
    assert not Path("own.txt").exists()
    said("import", words, "own.yaml")
    assert "0 errors" in said("lint", "own.yaml")
    said("push", "own.yaml")
    assert [(entry.get("kind"), entry["term"]) for entry in shown()["document"]["lexicons"]["own"]] == [
        ("pattern", "云.{0,2}杯"),
        (None, "天气"),
    ]


def test_an_import_writes_over_nothing_unless_told() -> None:
    lexicon("names.txt", "旧的")
    error = refusal("import", lexicon("words", "新的"), "names.txt")
    assert isinstance(error, Misconfigured)
    assert Path("names.txt").read_text(encoding="utf-8") == "旧的"
    said("import", "words", "names.txt", "--force")
    assert Path("names.txt").read_text(encoding="utf-8") == "新的,custom,high\n"


def test_an_import_to_standard_output_holds_nothing_but_the_lexicon() -> None:
    assert call("import", lexicon("words", "甲方", "丙"), "-").stdout == "甲方,custom,high\n"


def test_columns_and_meanings_are_pairs() -> None:
    words = lexicon("w.csv", "id,bad,grade", "1,甲方,3")
    said("import", words, "a.txt", "--column", "term=bad", "--column", "severity=3", "--map", "3=low")
    assert Path("a.txt").read_text(encoding="utf-8") == "甲方,custom,low\n"
    for wrong in (("--column", "bad=term"), ("--column", "term"), ("--map", "=high")):
        assert isinstance(refusal("import", words, "b.txt", *wrong), Misconfigured)
    assert isinstance(refusal("import", words, "b.txt", "--column", "term=none"), Invalid)
    assert isinstance(refusal("import", words), Misconfigured)


@pytest.mark.parametrize("name", ["copy.csv", "copy.xlsx"])
def test_lexicons_go_to_a_table_and_back(name: str) -> None:
    said("export", name, "--from", "base")
    said("import", name, "again")
    assert Path("again/lexicons/a.txt").read_bytes() == Path("base/lexicons/a.txt").read_bytes()


def test_lexicons_are_exported_for_other_programs() -> None:
    result = call("export", "words.txt", "--from", "base")
    assert Path("words.txt").read_text(encoding="utf-8") == "赌博\n"
    assert result.stderr.splitlines() == [
        "note: left out: categories and severities",
        "note: left out: fraud rules, reminders and policy",
    ]
    said("export", "houbb", "--from", "base", "--format", "houbb")
    assert Path("houbb/sensitive_word_tags.txt").read_text(encoding="utf-8") == "赌博 gambling\n"
    said("export", "words.regex", "--from", "base", "--format", "regex")
    assert Path("words.regex").read_text(encoding="utf-8") == "赌博\n"


def test_a_missing_file_is_wrong_use() -> None:
    assert isinstance(refusal("push", "absent.txt"), Misconfigured)
    assert isinstance(refusal("show", "--tenant", ""), Misconfigured)
