"""Corpora: letters a second, memory, two workers against one, and what kills do to a run.

``python -m commitments.benchmark.batch`` runs ``commitments score`` in processes of its own, on letters of
`seeds/` and, where they are, on real replies that may not be published, each repeated with another name and
other figures so that no letter is like another. Rates of one run are compared; those of two runs are not.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from commitments.benchmark import card, figures
from commitments.errors import CommitmentsError

MODELS = ("cues", "fast", "base")
BEGIN, END = "<!-- batch:start -->", "<!-- batch:end -->"
_RECORD = figures.ROOT / "seeds" / "batch" / "eval.json"
_LETTERS = {"cues": 4000, "fast": 2000, "base": 1024}
"""Letters of a measured run, so that each takes some tens of seconds."""

_DIGIT = re.compile(r"\d")


class Rate(msgspec.Struct, frozen=True):
    """A run of ``commitments score``.

    Attributes:
        model: that read.
        workers: processes.
        letters: that went in.
        rows: that came out.
        characters: of the letters.
        seconds: of the whole command, start included.
        scoring: seconds of reading the letters, summed over workers.
        writing: seconds of joining the shards into the table.
        start: seconds of the same command on one letter.
        peak: most bytes that the command and its workers held together.
    """

    model: str
    workers: int
    letters: int
    rows: int
    characters: int
    seconds: float
    scoring: float
    writing: float
    start: float
    peak: int

    @property
    def letters_per_second(self) -> float:
        """Without the start, which a long run does not feel."""
        return self.letters / max(self.seconds - self.start, 1e-9)


class Kills(msgspec.Struct, frozen=True):
    """A run that was killed again and again.

    Attributes:
        letters: of the corpus.
        kills: times that the command was killed with all its workers.
        same: whether the table has the bytes of one that was not killed.
        lost: letters that are missing in it.
        doubled: letters that stand in it twice.
    """

    letters: int
    kills: int
    same: bool
    lost: int
    doubled: int


class Record(msgspec.Struct, frozen=True):
    """What was measured, where and of what."""

    commit: str
    machine: dict[str, Any]
    models: dict[str, str]
    corpus: dict[str, str]
    rates: tuple[Rate, ...] = ()
    memory: tuple[Rate, ...] = ()
    kills: Kills | None = None


def letters() -> tuple[list[str], str]:
    """Texts to repeat, and what they are."""
    texts = [
        json.loads(line)["text"]
        for name in ("train", "dev", "test")
        for line in (figures.ROOT / "seeds" / "letters" / f"{name}.jsonl").read_bytes().splitlines()
    ]
    told = f"{len(texts)} letters of seeds/letters"
    shared = figures.shared()
    if shared is not None:
        replies = (shared / "real" / "replies.jsonl").read_bytes().splitlines()
        texts += [json.loads(line)["reply"] for line in replies]
        told += f" and {len(replies)} real replies, not published"
    return texts, told


def varied(texts: Sequence[str], count: int, seed: int = 7) -> Iterator[dict[str, str]]:
    """Letters with distinct names and figures.

    >>> rows = list(varied(["建成公园3个。"], 4))
    >>> len({row["reply"] for row in rows}), rows[0]["id"]
    (4, 'r0')
    """
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    order = list(range(len(texts)))
    for n in range(count):
        if n % len(texts) == 0:
            rng.shuffle(order)
        text = texts[order[n % len(texts)]]
        if n >= len(texts):
            text = _DIGIT.sub(lambda _: str(rng.randrange(1, 10)), text)
        yield {"id": f"r{n}", "reply": f"编号{n}：\n{text}"}


def corpus(path: Path, count: int) -> int:
    """Write so many letters; their characters."""
    texts, _ = letters()
    size = 0
    with path.open("w", encoding="utf-8") as file:
        for row in varied(texts, count):
            size += len(row["reply"])
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return size


def run(given: Path, model: str, workers: int, start: float = 0.0) -> Rate:
    """Run the command, and watch its memory."""
    out = given.with_name("out.parquet")
    command = _command(given, out, model, workers, "--overwrite")
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own
    peak = [0]

    def watch() -> None:
        while process.poll() is None:
            peak[0] = max(peak[0], _held(process.pid))
            time.sleep(0.1)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    told = (process.stderr or io.StringIO()).read()
    if process.wait():
        raise CommitmentsError(f"{' '.join(command)}: {told.strip()[-400:]}")
    seconds = time.perf_counter() - began
    watcher.join()
    done = json.loads(out.with_name("out.parquet.summary.json").read_bytes())
    return Rate(
        model,
        workers,
        done["letters"],
        done["rows"],
        done["characters"],
        round(seconds, 2),
        done["seconds"]["scoring"],
        done["seconds"]["writing"],
        round(start, 2),
        peak[0],
    )


def _command(given: Path, out: Path, model: str, workers: int, *more: str) -> list[str]:
    words = ["--text-column", "reply", "--id-column", "id", "--workers", str(workers), "--log-json"]
    start = [sys.executable, "-m", "commitments.cli", "score", str(given), "-o", str(out), "-m", model]
    return [*start, *words, *more]


def _held(pid: int) -> int:
    """Bytes that a process and its children hold; what they share is counted once for each."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
            for thread in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except (OSError, ValueError):
            continue
    return total


def killed(folder: Path, count: int, kills: int, model: str = "cues", seed: int = 11) -> Kills:
    """Kill a run at random moments, and go on with it, until it was killed so often and then is done."""
    import pyarrow.parquet as pq

    given = folder / "kills.jsonl"
    corpus(given, count)
    whole, out = folder / "whole.parquet", folder / "killed.parquet"
    began = time.perf_counter()
    subprocess.run(_command(given, whole, model, 2, "--overwrite"), check=True, stderr=subprocess.DEVNULL)  # noqa: S603
    took = time.perf_counter() - began
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    done = 0
    while done < kills:
        process = subprocess.Popen(  # noqa: S603 - our own
            _command(given, out, model, 2, "--resume"), stderr=subprocess.DEVNULL, start_new_session=True
        )
        # Some moments lie in the start; the others are spread so that the run ends about with the last kill.
        pause = rng.uniform(0, 2.0 + 2 * took / kills)
        try:
            process.wait(pause)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
        else:
            if process.returncode:
                raise CommitmentsError("the run that was resumed failed")
            break
    subprocess.run(_command(given, out, model, 2, "--resume"), check=True, stderr=subprocess.DEVNULL)  # noqa: S603
    names = pq.read_table(out, columns=["name", "sentence"]).to_pydict()
    seen = [n for n, s in zip(names["name"], names["sentence"], strict=True) if s in (None, 1)]
    return Kills(
        letters=count,
        kills=done,
        same=_digest(out) == _digest(whole),
        lost=count - len(set(names["name"])),
        doubled=len(seen) - len(set(seen)),
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure corpora: rates of each model with one and two workers, memory by size, and kills."""
    parser = argparse.ArgumentParser(prog="python -m commitments.benchmark.batch", description=main.__doc__)
    parser.add_argument(
        "--models", nargs="*", default=MODELS, metavar="NAME", help="to measure (%(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of each (%(default)s)")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="*",
        default=(),
        metavar="N",
        help="letters of runs whose memory is compared",
    )
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="kill a run so often")
    parser.add_argument("--kill-letters", type=int, default=20_000, metavar="N", help="of that run")
    parser.add_argument("--record", type=Path, default=_RECORD, help="keep the figures there (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="README", help="write the figures there")
    given = parser.parse_args(argv)
    try:
        record = _measured(given)
        given.record.parent.mkdir(parents=True, exist_ok=True)
        given.record.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
        print("\n".join(block(record)))
        if given.write:
            text = given.write.read_text(encoding="utf-8")
            told = "\n".join(block(record))
            given.write.write_text(card.insert(text, told, BEGIN, END), encoding="utf-8")
    except (CommitmentsError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _measured(given: argparse.Namespace) -> Record:
    """What is asked for anew; the rest as an earlier run left it."""
    from commitments import models
    from commitments.pipeline import load

    now = figures.provenance()
    record = Record(
        commit=now.commit or "",
        machine=msgspec.to_builtins(now.machine),
        models={name: load(name).name for name in ("cues", *models.available())},
        corpus={"letters": letters()[1]},
    )
    if given.record.exists():
        old = msgspec.json.decode(given.record.read_bytes(), type=Record)
        record = msgspec.structs.replace(record, rates=old.rates, memory=old.memory, kills=old.kills)
    with tempfile.TemporaryDirectory() as folder:
        rates: list[Rate] = []
        for model in given.models:
            path = Path(folder, f"{model}.jsonl")
            corpus(path, _LETTERS.get(model, 500))
            one = Path(folder, "one.jsonl")
            corpus(one, 1)
            starts = {workers: run(one, model, workers).seconds for workers in (1, 2)}
            for _ in range(given.rounds):  # one and two take turns, so that a busy minute falls on both
                rates += [run(path, model, workers, starts[workers]) for workers in (1, 2)]
        sizes = []
        for size in given.sizes:
            path = Path(folder, f"{size}.jsonl")
            corpus(path, size)
            sizes.append(run(path, "cues", 2))
        kills = killed(Path(folder), given.kill_letters, given.kills) if given.kills else None
    if rates:
        record = msgspec.structs.replace(record, rates=tuple(rates))
    if sizes:
        record = msgspec.structs.replace(record, memory=tuple(sizes))
    return msgspec.structs.replace(record, kills=kills or record.kills)


def block(record: Record) -> list[str]:
    """The figures as Markdown."""
    rows = [["model", "workers", "letters/s", "characters/s", "two against one", "peak memory", "start"]]
    for model in dict.fromkeys(rate.model for rate in record.rates):
        by = {w: [r for r in record.rates if (r.model, r.workers) == (model, w)] for w in (1, 2)}
        gain = [
            two.letters_per_second / one.letters_per_second for one, two in zip(by[1], by[2], strict=True)
        ]
        for workers, runs in by.items():
            speed = statistics.median(r.letters_per_second for r in runs)
            each = runs[0].characters / runs[0].letters
            rows.append(
                [
                    f"`{model}`",
                    str(workers),
                    card.short(speed),
                    card.rounded(speed * each),
                    "" if workers == 1 else f"{statistics.median(gain):.2f} ×",
                    f"{max(r.peak for r in runs) / 1e6:,.0f} MB",
                    f"{statistics.median(r.start for r in runs):.1f} s",
                ]
            )
    told = card.table(rows)
    rounds = len(record.rates) // max(2 * len({rate.model for rate in record.rates}), 1)
    many = "one round" if rounds == 1 else f"{rounds} rounds, medians"
    told += [
        "",
        f"`commitments score` on {record.corpus['letters']}, repeated with other names and figures; {many}. "
        "The start is left out of the rates.",
    ]
    if record.memory:
        parts = ", ".join(f"{r.letters:,} letters {r.peak / 1e6:,.0f} MB" for r in record.memory)
        told += [f"Peak memory of the command and its two workers by size of the corpus (`cues`): {parts}."]
    if record.kills:
        k = record.kills
        same = "the same bytes as" if k.same else "other bytes than"
        told += [
            f"A run over {k.letters:,} letters, killed {k.kills} times at random moments and resumed: "
            f"{k.lost} letters lost, {k.doubled} doubled, {same} the table of a run that was left alone."
        ]
    return [*told, "Written by `python -m commitments.benchmark.batch --write README.md`."]


if __name__ == "__main__":
    sys.exit(main())
