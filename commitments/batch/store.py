"""What a run leaves on disk while it goes: shards, and a manifest by which it can go on.

A shard is written beside its name, flushed to the disk and renamed; then a line that names it, with its hash,
is added to the journal. A line that was cut off is no line, and a shard without a line is done again. A lock
keeps two runs off one output; it goes with the process, however that ends.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from commitments.batch.engines import Failure, Scored
from commitments.batch.inputs import Shard
from commitments.errors import SchemaError

MANIFEST, JOURNAL, LOCK = "_manifest.json", "_journal.jsonl", "_lock"


class OutputError(SchemaError):
    """The output cannot be written, or is not this run's."""


class Entry(msgspec.Struct, frozen=True):
    """A line of the journal: a shard that is done.

    Attributes:
        index: of the shard.
        digest: of its letters.
        letters: that went in.
        rows: that came out.
        sha256: of its file.
        size: of its file, in bytes.
        failures: letters that could not be read.
        characters: of its letters.
        seconds: of reading them.
    """

    index: int
    digest: str
    letters: int
    rows: int
    sha256: str
    size: int
    failures: tuple[Failure, ...] = ()
    characters: int = 0
    seconds: float = 0.0


class Store:
    """The folder of a run.

    Args:
        folder: made when it is not there.

    Raises:
        OutputError: it cannot be made, or another run has it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder / LOCK)
        except BlockingIOError as error:
            raise OutputError(f"{folder}: another run is writing here") from error
        except OSError as error:
            raise _cannot(folder, error) from error
        self.entries: dict[int, Entry] = {}

    def open(self, manifest: dict[str, Any], *, resume: bool) -> None:
        """Begin, or go on.

        Args:
            manifest: what the result depends on: input, model, configuration, version.
            resume: whether shards that are there may be used.

        Raises:
            OutputError: what is there belongs to another run; the message names the difference.
        """
        path = self.folder / MANIFEST
        before = self.manifest()
        if before is not None and not resume:
            raise OutputError(
                f"{self.folder}: holds an unfinished run; go on with --resume, or begin anew with --overwrite"
            )
        if before is not None:
            _same(self.folder, before, manifest)
            self.entries = dict(self._journal())
        else:
            self.write(path, msgspec.json.format(msgspec.json.encode(manifest), indent=1))

    def manifest(self) -> dict[str, Any] | None:
        """That of an unfinished run; None when there is none."""
        path = self.folder / MANIFEST
        try:
            found = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise OutputError(f"{path}: cannot be read: {error}; begin anew with --overwrite") from error
        return found

    def _journal(self) -> Iterator[tuple[int, Entry]]:
        path = self.folder / JOURNAL
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):  # what a crash cut off must not run into the next line
            with path.open("r+b") as file:
                file.truncate(len(whole))
        for line in whole.splitlines():
            try:
                entry = msgspec.json.decode(line, type=Entry)
                content = self.path(entry.index).read_bytes()
            except (msgspec.MsgspecError, OSError):
                continue
            if len(content) == entry.size and hashlib.sha256(content).hexdigest() == entry.sha256:
                yield entry.index, entry

    def path(self, index: int) -> Path:
        """The file of a shard."""
        return self.folder / f"part-{index:06d}.parquet"

    def has(self, shard: Shard) -> bool:
        """Whether a shard is done.

        Raises:
            OutputError: another shard of that number is.
        """
        entry = self.entries.get(shard.index)
        if entry is not None and entry.digest != shard.digest:
            raise OutputError(
                f"{self.folder}: the letters from shard {shard.index} on are not those of the run before; "
                "begin anew with --overwrite"
            )
        return entry is not None

    def add(self, shard: Shard, scored: Scored) -> Entry:
        """Write a shard, and then that it is there."""
        self.write(self.path(shard.index), scored.parquet)
        entry = Entry(
            shard.index,
            shard.digest,
            shard.letters,
            scored.rows,
            hashlib.sha256(scored.parquet).hexdigest(),
            len(scored.parquet),
            scored.failures,
            shard.characters,
            scored.seconds,
        )
        try:
            with (self.folder / JOURNAL).open("ab") as file:
                file.write(msgspec.json.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _cannot(self.folder / JOURNAL, error) from error
        self.entries[shard.index] = entry
        return entry

    def write(self, path: Path, data: bytes) -> None:
        """Write a file so that it is there whole or not at all."""
        with replacing(path) as file:
            file.write(data)

    def clear(self) -> None:
        """Forget all that is there."""
        self.entries = {}
        for path in self.folder.iterdir():
            if path.name in (MANIFEST, JOURNAL) or path.name.startswith(("part-", ".part-", "._")):
                path.unlink()

    def finish(self, *, keep: bool) -> None:
        """Let go of the lock, and remove the folder, or what only an unfinished run needs."""
        self.close()
        if keep:
            (self.folder / LOCK).unlink(missing_ok=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def leave(self, *, worthless: bool) -> None:
        """Let go of the lock; of a run that has done nothing, nothing is left.

        Args:
            worthless: whether it has done nothing.
        """
        if worthless:
            self.clear()
            (self.folder / LOCK).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.folder.rmdir()
        self.close()

    def close(self) -> None:
        """Let go of the lock."""
        self._lock.close()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name once it is whole and on the disk.

    Raises:
        OutputError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _flush(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise _cannot(path, error) from error


def _flush(folder: Path) -> None:
    """A rename is on the disk once its folder is."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(path: Path) -> IO[bytes]:
    file = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BlockingIOError(*error.args) from error
    return file


def _cannot(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written: {error.strerror or error}")


def _same(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Hold an unfinished run to what goes on with it."""
    then, new = _flat(before), _flat(msgspec.json.decode(msgspec.json.encode(now)))
    told = [
        f"{key} was {then.get(key)!r} and is {new.get(key)!r}"
        for key in sorted(then.keys() | new.keys())
        if then.get(key) != new.get(key)
    ]
    if told:
        raise OutputError(f"{folder}: the unfinished run is another: {'; '.join(told[:5])}")


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {path: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{path}.{key}" if path else str(key))
    return flat
