"""What starting costs: importing, loading, the first letter; and memory. All in new processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from commitments.benchmark.growth import MEGABYTE
from commitments.benchmark.speed import Spread
from commitments.errors import CommitmentsError

RUNS = 11

_LOAD = """
import sys, time
text = sys.stdin.buffer.read().decode()
began = time.perf_counter()
import commitments
imported = time.perf_counter()
nlp = commitments.load("cues")
loaded = time.perf_counter()
nlp(text)
print(loaded - imported, time.perf_counter() - loaded)
"""

# The peak that `resource` tells may be inherited from the process that started this one (Linux keeps it
# through exec), so where the kernel tells the peak of this program alone, that is taken.
_MEMORY = """
import sys
def peak():
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
text = sys.stdin.buffer.read().decode()
found = [peak()]
import commitments
nlp = commitments.load("cues")
found.append(peak())
nlp(text)
found.append(peak())
nlp(text * -(-int(sys.argv[1]) // len(text)))
found.append(peak())
print(*found)
"""


class Start(msgspec.Struct, frozen=True):
    """Seconds and bytes.

    Attributes:
        python: seconds that a bare Python takes to start and end.
        imported: seconds more with ``import commitments``.
        load: seconds of the first ``commitments.load("cues")``, with what it imports.
        first: seconds of the first letter, with what is made at first use.
        memory: peak bytes of a bare Python, after loading, after a letter, after a long text; empty where the
            platform does not tell.
        long: characters of the long text, or a few more.
    """

    python: Spread
    imported: Spread
    load: Spread
    first: Spread
    memory: tuple[int, ...] = ()
    long: int = MEGABYTE


def measure(letter: str, runs: int = RUNS, long: int = MEGABYTE) -> Start:
    """Start Python again and again.

    Args:
        letter: the first to be read.
        runs: of each kind, in turns.
        long: characters of the long text: the letter again and again.

    Raises:
        CommitmentsError: Python could not be started, or failed.
    """
    _run("import commitments.pipeline")  # byte code is written now, not when the clock runs
    bare: list[float] = []
    extra: list[float] = []
    load: list[float] = []
    first: list[float] = []
    for _ in range(runs):
        bare.append(_wall("pass"))
        extra.append(_wall("import commitments"))
        loaded, read = map(float, _run(_LOAD, letter).split())
        load.append(loaded)
        first.append(read)
    usual = statistics.median(bare)
    try:
        memory = tuple(map(int, _run(_MEMORY, letter, str(long)).split()))
    except CommitmentsError:
        if sys.platform != "win32":  # there is no `resource` on Windows
            raise
        memory = ()
    over = Spread.of([seconds - usual for seconds in extra])
    return Start(Spread.of(bare), over, Spread.of(load), Spread.of(first), memory, long)


def _wall(code: str) -> float:
    began = time.perf_counter()
    _run(code)
    return time.perf_counter() - began


def _run(code: str, text: str = "", *arguments: str) -> str:
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    command: Sequence[str] = [sys.executable, "-c", code, *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own code
            command,
            input=text.encode(),
            capture_output=True,
            env={**os.environ, "PYTHONPATH": path},
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise CommitmentsError(
            f"a new Python failed: {error.stderr.decode(errors='replace')[-500:]}"
        ) from error
    return done.stdout.decode()
