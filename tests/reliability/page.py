"""The table of figures in docs/reliability.md: each part of the command replaces its own rows and leaves the others."""

import datetime
import platform
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- figures: begin -->", "<!-- figures: end -->"
_HEAD = ["| What | How much | Came of it | On |", "|---|---|---|---|"]


def today(blender: str = "", python: str = "") -> str:
    """Day and versions, for the last column; python: another one than this process has."""
    versions = f"Python {python or platform.python_version()}" + (f", Blender {blender}" if blender else "")
    return f"{datetime.date.today().isoformat()}, {versions}"


def replace_rows(text: str, rows: dict[str, tuple[str, str, str]]) -> str:
    """The page's text with these rows, by what they are about, in place of those of the same name or at the end."""
    before, _, rest = text.partition(_BEGIN)
    table, _, after = rest.partition(_END)
    lines = [line for line in table.strip().splitlines() if line.startswith("| ")][1:]
    known = {line.split("|")[1].strip(): line for line in lines}
    known |= {what: f"| {' | '.join((what, *cells))} |" for what, cells in rows.items()}
    return "\n".join([before + _BEGIN, *_HEAD, *known.values(), _END + after])


def write_rows(rows: dict[str, tuple[str, str, str]], page: Path = PAGE) -> None:
    """Put the rows into the page."""
    page.write_text(replace_rows(page.read_text(encoding="utf-8"), rows), encoding="utf-8")
