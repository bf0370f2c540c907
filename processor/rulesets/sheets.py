"""Rows of an Excel workbook's first sheet, in and out. Needs the `excel` extra: openpyxl."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from processor.errors import Invalid, Misconfigured

MOST_BYTES = 512 * 1024 * 1024  # unpacked: a small file can hold a very large sheet


def read_rows(content: bytes, *, source: str) -> list[list[str]]:
    """The cells as text, row by row. Raises: Invalid, naming `source`; Misconfigured without openpyxl."""
    _need_openpyxl()
    from openpyxl import load_workbook

    try:
        _check_size(content, source)
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            return [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        finally:
            book.close()
    except Invalid:
        raise
    except Exception as error:  # noqa: BLE001  a damaged workbook fails in as many ways as there are XML and zip errors
        raise Invalid([f"{source}: not a workbook that can be read ({type(error).__name__})"]) from None


def write_rows(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A workbook with one sheet. Raises: Misconfigured without openpyxl; Invalid, if a cell cannot stand in one."""
    _need_openpyxl()
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils.exceptions import IllegalCharacterError

    book = Workbook(write_only=True)
    sheet = book.create_sheet("lexicon")
    for number, row in enumerate((titles, *rows), start=1):
        try:
            cells = [WriteOnlyCell(sheet, value=value) for value in row]
        except IllegalCharacterError:
            raise Invalid([f"row {number} holds a character that a workbook cannot hold"]) from None
        for cell in cells:
            cell.data_type = "s"  # a term that begins with "=" is no formula
        sheet.append(cells)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _need_openpyxl() -> None:
    if find_spec("openpyxl") is None:
        raise Misconfigured(["Excel files need openpyxl: install chatguard[excel], or save the sheet as CSV."])


def _check_size(content: bytes, source: str) -> None:
    try:
        with ZipFile(BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except BadZipFile:
        raise Invalid([f"{source}: not an .xlsx workbook; save older ones as .xlsx or CSV"]) from None
    if size > MOST_BYTES:
        raise Invalid([f"{source}: the workbook holds more than {MOST_BYTES // 1024**2} MiB"])


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # 110 is kept as 110.0
    return str(cell)
