"""Every Python block of the README and of docs/ runs, each alone and in an empty directory."""

import re
from pathlib import Path

import pytest

from pcs_constructs.model.slurm import CATALOG_DATE, RELEASES
from pcs_constructs.model.slurm_settings import CLUSTER, NODE_GROUP, QUEUE

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)


def _blocks() -> list[object]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [
        pytest.param(page, match, id=f"{page.relative_to(ROOT)}:{_line(page, match)}")
        for page in pages
        for match in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


def _line(page: Path, match: re.Match[str]) -> int:
    return page.read_text(encoding="utf-8").count("\n", 0, match.start()) + 1


@pytest.mark.parametrize(("page", "block"), _blocks())
def test_the_block_runs(
    page: Path, block: re.Match[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Blank lines before the code, so that a traceback names the line of the page.
    source = "\n" * _line(page, block) + block[1]
    exec(compile(source, str(page), "exec"), {"__name__": "__main__"})


def test_the_readme_and_the_guide_have_programs() -> None:
    with_blocks = {param.values[0] for param in _blocks()}  # type: ignore[attr-defined]
    guide = set((ROOT / "docs" / "guide").glob("*.md"))
    assert guide
    assert {ROOT / "README.md", *guide} <= with_blocks


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "guide").glob("*.md")), ids=lambda p: p.name
)
def test_a_page_of_the_guide_opens_with_a_program(page: Path) -> None:
    before, _, _ = page.read_text(encoding="utf-8").partition("```python\n")
    headings = [line for line in before.splitlines() if line.startswith("#")]
    assert len(headings) == 1


def test_the_guide_has_what_the_library_knows_of_slurm_versions() -> None:
    page = (ROOT / "docs" / "guide" / "changing-a-cluster.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d\d\.\d\d) \| (.*) \|$", page, re.M)
    known = [(v, f"{r.end_of_life or ''} | {'; '.join(r.adds)}") for v, r in RELEASES.items()]
    assert [(v, text.replace("  ", " ").strip()) for v, text in rows] == [
        (v, text.strip()) for v, text in known
    ]
    assert f"as of {CATALOG_DATE}" in page


def test_the_guide_lists_every_parameter_that_has_an_argument() -> None:
    page = (ROOT / "docs" / "guide" / "scheduling.md").read_text(encoding="utf-8")
    told = [row for row in page.splitlines() if row.startswith("| `")]
    for scope in (CLUSTER, NODE_GROUP, QUEUE):
        for parameter, argument in scope.arguments.items():
            assert any(f"`{parameter}" in row and argument in row for row in told), parameter


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
