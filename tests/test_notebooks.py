"""The notebooks as they lie in the repository: run, whole, in order, and without traces of a machine."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 500_000
"""Bytes; what lies in a repository is loaded by everyone."""

# Absolute paths of machines, and what a kernel or a traceback says of where it ran.
_MACHINE = re.compile(
    r"(?<![\w.:/<])/(?:home|root|work|tmp|Users|usr|opt|mnt|private)/\w|[A-Z]:\\\\?Users|ipykernel_\d+|0x[0-9a-f]{8,}"
)
_SEED = re.compile(r"""["'](seeds/[^"'{}*]+)["']""")

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_there_are_notebooks_numbered_without_two_alike():
    assert len(NOTEBOOKS) >= 6
    numbers = [path.name[:2] for path in NOTEBOOKS]
    assert all(number.isdigit() for number in numbers)
    assert len(set(numbers)) == len(numbers)


@each
def test_every_code_cell_was_run_in_order(path):
    counts = [cell["execution_count"] for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))


@each
def test_it_has_outputs_and_no_errors(path):
    outputs = [output for cell in cells(path, "code") for output in cell["outputs"]]
    assert len(outputs) >= 5
    assert not [output for output in outputs if output["output_type"] == "error"]
    said = "".join("".join(o["text"]) for o in outputs if o.get("name") == "stderr")
    assert "Traceback" not in said
    assert "Warning" not in said


@each
def test_code_cells_parse(path):
    for cell in cells(path, "code"):
        ast.parse(source(cell))


@each
def test_it_runs_in_any_python_3_and_says_nothing_of_when_it_ran(path):
    notebook = read(path)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert all(cell["metadata"] == {} for cell in notebook["cells"])


@each
def test_no_trace_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    images = re.compile(r'"image/png": "[^"]*"')  # letters at random, in which anything may stand
    assert not _MACHINE.findall(images.sub("", text))


@each
def test_it_is_small_enough_to_be_kept(path):
    assert path.stat().st_size < LARGEST


@each
def test_it_reads_the_published_letters_only(path):
    code = "\n".join(source(cell) for cell in cells(path, "code"))
    named = _SEED.findall(code)
    assert named or "seeds/letters/{side}.jsonl" in code or "load_dataset(" in code
    assert [name for name in named if not (FOLDER.parent / name).exists()] == []
    assert "COMMITMENTS_SHARED" not in path.read_text(encoding="utf-8")


@each
def test_figures_stand_in_outputs_not_in_the_prose(path):
    # Written by hand, a figure stays when the models change; 95 % is the interval's definition.
    prose = "\n".join(source(cell) for cell in cells(path, "markdown"))
    prose = re.sub(r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)|95 ?%", "", prose)
    assert re.findall(r"\d+\.\d+|\d+ ?%", prose) == []


def test_the_first_notebook_shows_the_letter_marked_up():
    html = "".join(
        "".join(output["data"].get("text/html", ""))
        for cell in cells(FOLDER / "01_first_letter.ipynb", "code")
        for output in cell["outputs"]
        if "data" in output
    )
    assert 'class="cmt' in html


@pytest.mark.parametrize("name", ["02_corpus_statistics", "05_errors_and_calibration"])
def test_figures_are_in_the_notebook(name):
    outputs = [o for cell in cells(FOLDER / f"{name}.ipynb", "code") for o in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
