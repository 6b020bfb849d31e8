"""The README is true: its Python runs, its commands exist, its links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib
from typer.testing import CliRunner

import commitments
from commitments.cli import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.M | re.S)


def test_blocks_are_found() -> None:
    assert {name: len(blocks(name)) for name in ("python", "sh", "console", "text")} == {
        "python": 15,
        "sh": 2,
        "console": 1,
        "text": 1,
    }
    assert README.count("```") == 2 * 19


def test_python_blocks_run_one_after_the_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("pandas")
    # What the blocks write does not belong in the repository.
    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    for block in blocks("python"):
        libraries = set(re.findall(r"^(?:import|from) (\w+)", block, flags=re.M))
        # Examples with a library that only an extra brings run where it is installed.
        if all(importlib.util.find_spec(name) for name in libraries):
            exec(compile(block, "README.md", "exec"), scope)
    out = capsys.readouterr().out
    assert "completed" in out
    assert "pledge" in out
    assert "下一步" in out
    assert "杨浦区科学技术委员会" in out
    assert "seeds/letters/dev.jsonl:20" in out
    assert "not read" not in out
    assert "Sentence(" in out


def test_the_two_commands_are_one_line_each_and_the_first_shows_the_letter() -> None:
    show, tests = blocks("sh")
    assert show.count("\n") == tests.count("\n") == 1
    assert tests.strip().endswith("-m pytest")
    command = shlex.split(show.split("&&")[-1])
    assert command[0] == ".venv/bin/commitments"
    run = subprocess.run(
        [sys.executable, "-m", "commitments.cli", *command[1:]],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "杨浦" in run.stdout
    assert run.stderr == ""


def test_every_option_in_the_examples_exists() -> None:
    lines = [line for line in blocks("console")[0].splitlines() if line.startswith("$ ")]
    assert len(lines) == 21
    for line in lines:
        program, command, *rest = shlex.split(line.removeprefix("$ "), comments=True)
        assert program == "commitments"
        shown = CliRunner().invoke(app, [command, "--help"]).output
        for word in rest:
            if word.startswith("-") and word != "-":
                assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", shown), (line, word)


def test_the_names_of_the_reference_exist() -> None:
    rows = [
        line.split(" | ")[0] for line in README.splitlines() if re.match(r"\| `(?:reply|Pipeline)\.", line)
    ]
    assert len(rows) >= 11
    for row in rows:
        for owner, name in re.findall(r"`(reply|Pipeline|Reply)?\.(\w+)", row):
            assert hasattr(commitments.Pipeline if owner == "Pipeline" else commitments.Reply, name), name


def test_the_extras_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    table = README.split("### Extras")[1].split("\n## ")[0]
    named = {
        name
        for row in re.findall(r"^\| (`.+?) \|", table, flags=re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert named == set(project["optional-dependencies"])


def test_local_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert len(links) >= 5
    for link in links:
        assert (ROOT / link).exists(), link


def test_figures_have_their_place() -> None:
    start, end = "<!-- figures:start -->", "<!-- figures:end -->"
    assert README.count(start) == README.count(end) == 1
    assert README.index(start) < README.index(end)


def test_citation_names_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, flags=re.M) == [commitments.__version__]
