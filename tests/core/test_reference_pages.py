"""The reference pages say what the code says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from processor.ops.catalogue import CATALOGUE, PREFIX
from processor.ops.pages import PAGES, metrics_page, settings_page
from processor.ops.settings import leaves

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("name", "page"), PAGES.items(), ids=PAGES)
def test_a_page_is_up_to_date(name: str, page: Callable[[], str]) -> None:
    assert page() == (DOCS / name).read_text(encoding="utf-8"), "run: python -m processor.ops.pages"


def test_every_metric_is_in_the_docs() -> None:
    page = metrics_page()
    assert all(f"`{PREFIX}{metric.name}`" in page and metric.meaning in page for metric in CATALOGUE)


def test_every_setting_is_in_the_docs() -> None:
    page = settings_page()
    assert all(f"`{leaf.variable}`" in page for leaf in leaves())


def test_no_page_holds_a_path_of_the_machine_that_made_it() -> None:
    assert str(Path.home()) not in settings_page()
