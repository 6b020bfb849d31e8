"""Model folders: found by name and path, checked to the last byte, and refused with a reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import commitments
from commitments import models
from commitments.cli import app
from commitments.errors import ModelError

MODELS = [name for name, path in models.available().items()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a model's folder, to be spoilt."""
    source = models.find("fast").path
    target = tmp_path / "mine"
    target.mkdir()
    for name in (*models.find("fast").manifest.files, models.MANIFEST):
        shutil.copy(source / name, target / name)
    return target


def test_the_models_of_the_library_are_there_and_whole() -> None:
    assert {"base", "fast"} <= set(MODELS)
    assert models.DEFAULT in MODELS
    assert {found.manifest.name for found in models.verify()} == set(MODELS)


def test_a_folder_is_loaded_by_its_path(folder: Path) -> None:
    text = "我局已建成公园3个。下一步，将再建2个。"
    assert commitments.load(folder)(text) == commitments.load(str(folder))(text)
    assert commitments.load(folder)(text) == commitments.load("fast")(text)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_changed_byte_is_told_with_the_file(folder: Path, file: str) -> None:
    data = bytearray((folder / file).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / file).write_bytes(data)
    for check in (models.verify, commitments.load):
        with pytest.raises(ModelError, match=rf"{file}: has been changed or cut off"):
            check(folder)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_missing_file_is_told(folder: Path, file: str) -> None:
    (folder / file).unlink()
    for check in (models.verify, commitments.load):
        with pytest.raises(ModelError, match=rf"{file}: cannot be read"):
            check(folder)


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("model.onnx", b"no graph", r"model\.onnx: no graph that onnxruntime can run"),
        ("tokenizer.json", b"{}", r"tokenizer\.json: no tokenizer"),
        ("config.json", b'{"labels": ["yes", "no"]}', r"config\.json: Object missing required field"),
    ],
)
def test_files_of_another_kind_are_told_though_their_hash_fits(
    folder: Path, file: str, content: bytes, reason: str
) -> None:
    rewrite(folder, file, content)
    with pytest.raises(ModelError, match=reason):
        commitments.load(folder)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("labels", ["none", "pledge", "ongoing", "completed"], "labels"),
        ("features", ["length"], "other features"),
        ("vocabulary", 5, "pieces, not the 5 of the model"),
        ("temperature", 0.0, "not positive"),
        ("windows", {"size": "long"}, "windows.size"),
        ("colour", "red", "unknown field"),
    ],
)
def test_a_config_that_does_not_fit_is_told(folder: Path, field: str, value: object, reason: str) -> None:
    config = json.loads((folder / "config.json").read_bytes())
    rewrite(folder, "config.json", json.dumps({**config, field: value}).encode())
    with pytest.raises(ModelError, match=reason):
        commitments.load(folder)


def rewrite(folder: Path, file: str, content: bytes) -> None:
    """Change a file and its hash, as who makes a folder of their own might."""
    old = models.find(folder)
    files = {name: old.read(name) for name in old.manifest.files} | {file: content}
    models.write(folder, old.manifest.name, old.manifest.kind, files)


def test_a_graph_cut_off_is_told_though_its_hash_fits(folder: Path) -> None:
    data = (folder / "model.onnx").read_bytes()
    rewrite(folder, "model.onnx", data[: len(data) // 2])
    with pytest.raises(ModelError, match=r"model\.onnx: no graph"):
        commitments.load(folder)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("", "truncated"),
        ("{}", "missing required field"),
        ('{"name": "a", "kind": "encoder", "files": {}, "format": 99}', "has format 99"),
        ('{"name": "a", "kind": "encoder", "files": {"../x": "0"}}', "outside the folder"),
        ('{"name": "a", "kind": "oracle", "files": {}}', "of kind 'oracle'"),
        ('{"name": "a", "kind": "encoder", "files": {}}', "names no file config.json"),
    ],
)
def test_a_manifest_that_is_none_is_told(tmp_path: Path, manifest: str, reason: str) -> None:
    (tmp_path / models.MANIFEST).write_text(manifest, encoding="utf-8")
    with pytest.raises(ModelError, match=reason):
        commitments.load(tmp_path)


@pytest.mark.parametrize("name", ["nothing", "", "../base", Path("nowhere")])
def test_an_unknown_model_is_told_with_those_that_there_are(name: str | Path) -> None:
    with pytest.raises(ModelError, match="no model"):
        commitments.load(name)


def test_a_folder_that_is_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"manifest\.json: cannot be read.*training is done"):
        commitments.load(tmp_path)


def test_the_version_changes_with_any_file(tmp_path: Path) -> None:
    one = models.write(tmp_path / "one", "one", "encoder", {"a": b"1", "b": b"2"})
    two = models.write(tmp_path / "two", "one", "encoder", {"a": b"1", "b": b"3"})
    assert one.manifest.version != two.manifest.version
    assert models.verify(tmp_path / "one")[0].manifest == one.manifest


def test_the_command_lists_models_and_names_what_is_spoilt(folder: Path) -> None:
    listed = CliRunner().invoke(app, ["models"])
    assert listed.exit_code == 0
    assert f"* {models.DEFAULT} " in listed.output
    for name in (*MODELS, "cues", "keywords", "majority"):
        assert name in listed.output
    rows = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)["models"]
    assert [row["name"] for row in rows if row["default"]] == [models.DEFAULT]
    (folder / "model.onnx").write_bytes(b"")
    spoilt = CliRunner().invoke(app, ["models", str(folder)])
    assert spoilt.exit_code == 1
    assert "model.onnx: has been changed or cut off" in spoilt.output
