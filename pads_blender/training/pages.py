"""Figures put into a page of docs/ by the command that measured them."""

import re
from pathlib import Path


def put_between_marks(page: Path, name: str, text: str) -> None:
    """Replace what the page has between its two marks for this study."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    old = page.read_text(encoding="utf-8")
    new, count = re.subn(f"{begin}.*?{end}", lambda _: f"{begin}\n{text}\n{end}", old, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{page} needs the marks {begin} and {end} once.")
    page.write_text(new, encoding="utf-8")
