"""Model folders: where they are, whether they are whole, and what is in them.

A model folder holds what a trained tagger needs, and ``manifest.json``, which names each file with its
SHA-256 hash. What the numbers in a folder mean is known to the taggers in `commitments.tag`; how a folder is
made, to `commitments.train`. Nothing in it is ever unpickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from commitments.errors import ModelError

MANIFEST, CONFIG = "manifest.json", "config.json"

DEFAULT = "base"
"""The model that `commitments.load` and the command line take when none is named."""

FORMAT = 1
"""Version of the form of model folders; a folder of another is refused."""

_PACKAGE = Path(__file__).resolve().parent
_HOMES = (_PACKAGE / "weights", _PACKAGE.parent / "models")
"""Where models are looked for by name: in the installed package, and in a source checkout."""


class Manifest(msgspec.Struct, frozen=True):
    """What a model folder says of itself.

    Attributes:
        name: such as ``base``.
        kind: which tagger reads it: ``encoder`` or ``cascade``.
        files: SHA-256 of every file that the model needs, by its name.
        format: of the folder.
    """

    name: str
    kind: str
    files: dict[str, str]
    format: int = FORMAT

    @property
    def version(self) -> str:
        """Eight hex digits that change whenever a file does."""
        lines = "\n".join(f"{name} {digest}" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()[:8]


class Folder(msgspec.Struct, frozen=True):
    """A model folder that has been found whole.

    Attributes:
        path: of the folder.
        manifest: what it says of itself.
    """

    path: Path
    manifest: Manifest

    def read(self, name: str) -> bytes:
        """The content of one of its files, as the manifest has it.

        Raises:
            ModelError: the file is missing, or has been changed.
        """
        path = self.path / name
        wanted = self.manifest.files.get(name)
        if wanted is None:
            raise ModelError(f"{self.path / MANIFEST}: names no file {name}")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error
        found = hashlib.sha256(data).hexdigest()
        if found != wanted:
            raise ModelError(
                f"{path}: has been changed or cut off: its SHA-256 is {found[:16]}…, the manifest says"
                f" {wanted[:16]}…; get the folder anew"
            )
        return data

    def config(self, kind: type[Any]) -> Any:
        """``config.json`` as a struct.

        Raises:
            ModelError: the file is missing, changed, or has other fields.
        """
        try:
            return msgspec.json.decode(self.read(CONFIG), type=kind)
        except msgspec.MsgspecError as error:
            raise ModelError(f"{self.path / CONFIG}: {error}") from error


def available() -> dict[str, Path]:
    """The models that come with this library, name → folder.

    >>> "base" in available()
    True
    """
    found: dict[str, Path] = {}
    for home in _HOMES:
        for manifest in sorted(home.glob(f"*/{MANIFEST}")):
            found.setdefault(manifest.parent.name, manifest.parent)
    return found


def find(name: str | Path) -> Folder:
    """A model folder by its name or path. Its manifest is read; its files are checked when they are.

    Args:
        name: of a model that comes with this library, or path of a folder.

    Raises:
        ModelError: there is no such model, or the folder's manifest is missing or wrong.
    """
    path = available().get(str(name)) if not isinstance(name, Path) else None
    path = path or Path(name)
    if not path.is_dir():
        known = ", ".join(available()) or "none is installed"
        raise ModelError(f"no model {str(name)!r}: there is no such folder, and of names: {known}")
    file = path / MANIFEST
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except OSError as error:
        raise ModelError(
            f"{file}: cannot be read: {error.strerror or error}; is it a model whose training is done?"
        ) from error
    except msgspec.MsgspecError as error:
        raise ModelError(f"{file}: {error}") from error
    if manifest.format != FORMAT:
        raise ModelError(f"{file}: has format {manifest.format}; this version of the library reads {FORMAT}")
    if any(Path(name).name != name or name in ("", "..") for name in manifest.files):
        raise ModelError(f"{file}: names a file outside the folder")
    return Folder(path, manifest)


def verify(name: str | Path | None = None) -> tuple[Folder, ...]:
    """Check every byte of a model, or of all that come with this library.

    Args:
        name: of a model, or path of its folder; all when not given.

    Returns:
        The folders, which are whole.

    Raises:
        ModelError: a file is missing or changed; the message names it.

    >>> [folder.manifest.name for folder in verify("base")]
    ['base']
    """
    names: Iterable[str | Path] = available() if name is None else (name,)
    folders = tuple(map(find, names))
    for folder in folders:
        for file in folder.manifest.files:
            folder.read(file)
    return folders


def write(path: Path, name: str, kind: str, files: Mapping[str, bytes]) -> Folder:
    """Write a model folder: the files, and then the manifest that makes them a model.

    Args:
        path: of the folder; other files in it are left alone.
        name: of the model.
        kind: of tagger that reads it.
        files: content by name.
    """
    path.mkdir(parents=True, exist_ok=True)
    (path / MANIFEST).unlink(missing_ok=True)  # no model until all is written
    for file, data in files.items():
        (path / file).write_bytes(data)
    hashes = {file: hashlib.sha256(data).hexdigest() for file, data in sorted(files.items())}
    manifest = Manifest(name, kind, hashes)
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1).decode()
    (path / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return Folder(path, manifest)
