"""The package itself: its public names, and how little importing it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import commitments

HEAVY = ("msgspec", "typer", "rich", "opencc", "ahocorasick_rs", "pandas", "selectolax", "docx", "pypdfium2")


@pytest.mark.parametrize("name", commitments.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(commitments, name) is not None
    assert name in dir(commitments)


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="'lode'"):
        _ = commitments.lode


@pytest.mark.parametrize(
    ("code", "light"),
    [
        ("import commitments", HEAVY),
        ("import commitments; commitments.load()('已建成。').to_json()", ("typer", "rich", *HEAVY[5:])),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str, light: tuple[str, ...]) -> None:
    told = f"{code}; import sys; print(*sorted(set(sys.modules) & {set(light)!r}))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
