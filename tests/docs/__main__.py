"""Writes what is made by code into the documents: the references, and what the blocks of tutorials and cookbook print.

python -m tests.docs [--references | PAGE ...]
"""

import os
import sys
import tempfile
from pathlib import Path

from tests.docs.pages import ROOT, Reader, apart


def update(page: Path) -> None:
    """Carry out a page and write what came out."""
    with tempfile.TemporaryDirectory() as name, apart(Path(name)) as folder:
        if page.stem == "asking_why":
            from tests.docs.window import renewed_page

            text = renewed_page(folder)
        else:
            text = Reader(folder).read(page, update=True)
    page.write_text(text, encoding="utf-8")


def main(names: list[str]) -> None:
    """Renew the pages named, or all of them."""
    unknown = [name for name in names if name.startswith("-") and name != "--references"]
    if unknown or ("--references" in names and len(names) > 1):
        sys.exit(__doc__)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if not names or names == ["--references"]:
        from tests.docs.reference import REFERENCES

        for name, made in REFERENCES.items():
            (ROOT / "docs/reference" / name).write_text(made(), encoding="utf-8")
    pages = [Path(name).resolve() for name in names if name != "--references"]
    if not names:
        pages = sorted([*(ROOT / "docs/tutorials").glob("[!R]*.md"), *(ROOT / "docs/cookbook").glob("[!R]*.md")])
    for page in pages:
        print(page.relative_to(ROOT), flush=True)
        update(page)


if __name__ == "__main__":
    main(sys.argv[1:])
