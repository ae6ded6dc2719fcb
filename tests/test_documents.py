# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Documents: what they link to is there, and the index names them all."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def foreign(page: Path) -> bool:
    """Return whether a path below ROOT lies where others' files are put."""
    return any(part in ("build", "node_modules", "site-packages") or part[0] == "." for part in page.parts)


PAGES = [page for page in sorted(ROOT.rglob("*.md")) if not foreign(page.relative_to(ROOT))]
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]+`|^ {4}.*?$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")


def links(page: Path) -> list[str]:
    """Return the targets of all links of a page that are not addresses of the web."""
    found = LINK.findall(CODE.sub("", page.read_text()))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub names them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    seen: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("\\", "").lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        count = seen[name] = seen.get(name, -1) + 1
        names.add(f"{name}-{count}" if count else name)
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_what_is_there(page):
    broken = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_the_index_names_all_documents():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    documents = {page for page in PAGES if "docs" in page.relative_to(ROOT).parts} | set(ROOT.glob("*.md"))
    assert documents - {index, ROOT / "README.md"} <= linked
