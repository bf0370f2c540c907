"""Last good copies on disk: whole or not at all."""

from pathlib import Path

import pytest

from processor.errors import Unavailable
from processor.rulesets.disk import Copies
from processor.rulesets.document import BASE, digest, tenant_scope
from processor.rulesets.store import Snapshot


def snapshot(content: bytes = b"{}", version: int = 1) -> Snapshot:
    return Snapshot(version=version, digest=digest(content), content=content)


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_a_copy_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    copies = Copies(tmp_path / "not there yet", store="s")
    assert copies.load() == ({}, [])
    kept = {BASE: snapshot(b"\xff\x00", 7), tenant_scope("a/../b\n"): snapshot()}
    for scope, each in kept.items():
        copies.save(scope, each)
    assert copies.load() == (kept, [])


def test_a_newer_copy_replaces_the_older_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    copies = Copies(tmp_path, store="s")
    for version in (1, 2):
        copies.save(BASE, snapshot(version=version))
    assert copies.load() == ({BASE: snapshot(version=2)}, [])
    assert len(files(tmp_path)) == 1


def test_another_stores_copies_are_not_seen(tmp_path: Path) -> None:
    Copies(tmp_path, store="s").save(BASE, snapshot())
    assert Copies(tmp_path, store="other").load() == ({}, [])


def test_a_damaged_copy_is_left_out_with_a_word_and_the_others_are_used(tmp_path: Path) -> None:
    copies = Copies(tmp_path, store="s")
    copies.save(BASE, snapshot(b"content that will change"))
    [path] = files(tmp_path)
    whole = path.read_bytes()
    copies.save(tenant_scope("t1"), snapshot())
    for damaged in (b"", b"[]", whole[:-9], whole.replace(b'"version":1', b'"version":"1"'), _flipped(whole)):
        path.write_bytes(damaged)
        good, problems = copies.load()
        assert set(good) == {tenant_scope("t1")}
        assert len(problems) == 1


def _flipped(copy: bytes) -> bytes:
    place = copy.index(b'"content":"') + len(b'"content":"')
    return copy[:place] + (b"A" if copy[place : place + 1] != b"A" else b"B") + copy[place + 1 :]


def test_a_copy_half_written_when_the_power_went_is_not_loaded(tmp_path: Path) -> None:
    copies = Copies(tmp_path, store="s")
    copies.save(BASE, snapshot())
    [path] = files(tmp_path)
    path.with_name(".writing-abc").write_bytes(b'{"scope":"base"')
    assert copies.load() == ({BASE: snapshot()}, [])


def test_a_forgotten_copy_is_gone(tmp_path: Path) -> None:
    copies = Copies(tmp_path, store="s")
    copies.save(BASE, snapshot())
    copies.forget(BASE)
    copies.forget(BASE)
    assert copies.load() == ({}, [])


def test_a_place_where_nothing_can_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="was not kept"):
        Copies(tmp_path / "file", store="s").save(BASE, snapshot())


def test_a_copy_that_cannot_be_read_is_left_out_with_a_word(tmp_path: Path) -> None:
    copies = Copies(tmp_path, store="s")
    copies.save(BASE, snapshot())
    [path] = files(tmp_path)
    path.with_name("unreadable.json").mkdir()
    good, problems = copies.load()
    assert (good, len(problems)) == ({BASE: snapshot()}, 1)
