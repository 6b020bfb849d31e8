"""The built wheel holds what the library needs, nothing else, and runs where there is no source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=ROOT, check=True
    )
    [path] = out.glob("*.whl")
    return path


def test_wheel_holds_data_and_licence_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"commitments/py.typed", "commitments/view.css", "commitments/lexicon/cues.toml"} <= set(names)
    tables = {f"commitments/lexicon/{p.name}" for p in (ROOT / "commitments" / "lexicon").glob("*.toml")}
    assert tables <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"commitments"}


def test_wheel_reads_a_letter_outside_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    (tmp_path / "letter.txt").write_text("现答复如下：\n我局已建成公园3个。\n", encoding="utf-8")
    # PYTHONPATH stands before an editable install of the source tree.
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONUTF8": "1"}
    code = "import commitments; print(commitments.__file__); from commitments.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", code, "show", "letter.txt"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert run.stdout.startswith(str(site))
    assert "✓" in run.stdout
