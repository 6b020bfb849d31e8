"""Run the notebooks and keep what they print, without what differs from run to run.

``python notebooks/execute.py [NOTEBOOK …]`` (all when none is named) needs nbclient, ipykernel and the extras
that the notebooks use. Times, addresses of objects and random names of tables are left out, so that a second
run changes a notebook only where its results changed.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LONGEST_PLAIN = 2_000
"""Characters of a plain form that are kept where an output also has an HTML form."""

_TABLE = re.compile(r"\bT_([0-9a-f]{5})(?=[_\" #])")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+>")
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def outputs(notebook: Any) -> Iterator[Any]:
    """Every output of every cell."""
    for cell in notebook.cells:
        yield from cell.get("outputs", ())


def clean(notebook: Any) -> None:
    """Leave out what differs from run to run, and what only repeats another form of the same output."""
    notebook.metadata = nbformat.from_dict(_METADATA)
    names: dict[str, str] = {}
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
    for output in outputs(notebook):
        if "metadata" in output:
            output["metadata"] = nbformat.from_dict({})
        data = output.get("data", {})
        if "text/html" in data:
            for name in _TABLE.findall(data["text/html"]):
                names.setdefault(name, f"{len(names):05x}")
            html = _TABLE.sub(lambda found: f"T_{names[found[1]]}", data["text/html"])
            data["text/html"] = "\n".join(line.rstrip() for line in html.split("\n"))
            plain = _ADDRESS.sub(">", data.get("text/plain", ""))
            data["text/plain"] = plain if len(plain) <= LONGEST_PLAIN else plain[:40] + " …"


def execute(path: Path) -> float:
    """Run one notebook in place; the seconds that it took."""
    notebook = nbformat.read(path, as_version=4)
    began = time.perf_counter()
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(HERE)}},
    ).execute()
    seconds = time.perf_counter() - began
    clean(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return seconds


def main() -> None:
    """Run those that are named, or all."""
    parser = argparse.ArgumentParser(prog="python notebooks/execute.py", description=main.__doc__)
    parser.add_argument("notebooks", type=Path, nargs="*")
    paths = parser.parse_args().notebooks or sorted(HERE.glob("*.ipynb"))
    # The kernel must read this copy of the package, wherever else one is installed.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    for path in paths:
        print(f"{path.name}: {execute(path):.0f} s, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
