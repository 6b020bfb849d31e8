"""Bodies (主体) by sequence labelling, to compare the grammar with: a HanLP tagger and a head on our encoder.

``python -m commitments.train.actors`` trains both on the letters' actor spans (and on further gold), labels
the measures of held-out letters, and writes the figures of all three methods as JSON. HanLP is the extra
``hanlp``. What the library uses is the grammar of `commitments.attributes.actor`; the table in the README
says why.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from commitments import attribute_metrics, corpus
from commitments.attributes import actor
from commitments.errors import MissingExtra
from commitments.terms import Status
from commitments.train.attributes import Source

Find = Callable[[Sequence[str]], list[list[tuple[int, int]]]]
"""Finds the spans of bodies in each of some sentences."""


class Example(msgspec.Struct, frozen=True):
    """A measure with its bodies.

    Attributes:
        letter: id.
        text: of the sentence.
        statuses: its status and further ones.
        spans: of the bodies, in the sentence.
        register: of the letter.
    """

    letter: str
    text: str
    statuses: frozenset[Status]
    spans: tuple[tuple[int, int], ...]
    register: str


def examples(sources: Iterable[Source]) -> list[Example]:
    """The measures of gold letters with their bodies; letters without any span are passed over."""
    out = []
    for source in sources:
        known = attribute_metrics.load(source.attributes) if source.attributes else None
        for document in corpus.load(source.gold):
            if known is not None:
                if document.id not in known:
                    continue
                spans = [(s.start, s.end) for s in known[document.id] if s.kind == "actor"]
            else:
                if not any(unit.spans for unit in document.units):
                    continue
                spans = [(s.start, s.end) for u in document.units for s in u.spans if s.kind == "actor"]
            for unit in document.units:
                statuses = frozenset({unit.label, *unit.also})
                if statuses == {Status.NONE}:
                    continue
                own = sorted((s - unit.start, e - unit.start) for s, e in spans if unit.start <= s < unit.end)
                text = document.text[unit.start : unit.end].replace("\n", " ")
                out.append(Example(document.id, text, statuses, tuple(own), source.register))
    return out


def figures(rows: Sequence[Example], found: Sequence[Sequence[tuple[int, int]]]) -> dict[str, float]:
    """F1 of spans, exact and by overlap."""
    exact = overlap = gold = predicted = 0
    for row, spans in zip(rows, found, strict=True):
        pairs = attribute_metrics.pair(row.spans, spans)
        overlap += len(pairs)
        exact += sum(row.spans[i] == spans[j] for i, j in pairs)
        gold += len(row.spans)
        predicted += len(spans)
    size = max(1, gold + predicted)
    return {"exact": 2 * exact / size, "overlap": 2 * overlap / size, "spans": float(gold)}


def grammar(rows: Sequence[Example]) -> list[list[tuple[int, int]]]:
    """What the library finds."""
    return [[(a.start, a.end) for a in actor.find(r.text, r.statuses, r.register)] for r in rows]


def _tags(row: Example, begin: str, inside: str, end: str, single: str) -> list[str]:
    tags = ["O"] * len(row.text)
    for s, e in row.spans:
        if e - s == 1:
            tags[s] = single
            continue
        tags[s] = begin
        for i in range(s + 1, e - 1):
            tags[i] = inside
        tags[e - 1] = end
    return tags


def _spans(tags: Sequence[str]) -> list[tuple[int, int]]:
    """Spans of tags such as B-X, I-X, E-X, S-X; what is not well formed is mended."""
    out: list[tuple[int, int]] = []
    start: int | None = None
    for i, tag in enumerate([*tags, "O"]):
        kind = tag[0]
        if start is not None and kind in "OBS":
            out.append((start, i))
            start = None
        if kind in "BS" or (kind in "IE" and start is None):
            start = i
        if kind in "ES" and start is not None:
            out.append((start, i + 1))
            start = None
    return out


def hanlp(learnt: Sequence[Example], seed: int = 1, epochs: int = 20) -> Find:
    """Train HanLP's recurrent tagger on characters.

    Args:
        learnt: a tenth of them is held back to stop by.
        seed: of everything random.
        epochs: at most.

    Raises:
        MissingExtra: HanLP is not installed.
    """
    try:
        import torch
        from hanlp.components.taggers.rnn_tagger import RNNTagger
    except ImportError as error:
        raise MissingExtra("HanLP's tagger", "hanlp") from error
    torch.manual_seed(seed)
    rows = list(learnt)
    random.Random(seed).shuffle(rows)  # noqa: S311 - no secret
    held = max(1, len(rows) // 10)
    folder = Path(tempfile.mkdtemp(prefix="actors-"))
    for name, part in (("dev", rows[:held]), ("train", rows[held:])):
        lines = []
        for row in part:
            tags = _tags(row, "B-ORG", "I-ORG", "E-ORG", "S-ORG")
            lines += [
                f"{c}\t{tag}" if not c.isspace() else f"_\t{tag}"
                for c, tag in zip(row.text, tags, strict=True)
            ]
            lines.append("")
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tagger = RNNTagger()
    tagger.fit(
        str(folder / "train.tsv"),
        str(folder / "dev.tsv"),
        str(folder / "model"),
        epochs=epochs,
        embed=100,
        crf=False,  # that of 2.1.5 reads the batch along the wrong dimension
        tagging_scheme="IOBES",
        devices=-1,
        seed=seed,
    )

    def find(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        tagged = tagger.predict([["_" if c.isspace() else c for c in text] for text in texts])
        return [_spans(tags) for tags in tagged]

    return find


def encoder(learnt: Sequence[Example], start: str, layers: int = 6, epochs: int = 5, seed: int = 1) -> Find:
    """Fine-tune the project's encoder to tag its word pieces.

    Args:
        learnt: what to learn.
        start: folder of the encoder (`commitments.train.encoder`).
        layers: how many of its layers are kept.
        epochs: how often all are shown.
        seed: of everything random.
    """
    import torch
    from tokenizers import Tokenizer
    from torch import nn
    from transformers import AutoModel

    torch.manual_seed(seed)
    pieces = Tokenizer.from_file(str(Path(start, "tokenizer.json")))
    body = AutoModel.from_pretrained(start)
    body.encoder.layer = body.encoder.layer[:layers]
    head = nn.Linear(body.config.hidden_size, 5)
    names = ("O", "B", "I", "E", "S")
    parameters = [
        {"params": body.parameters(), "lr": 1e-4},
        {"params": head.parameters(), "lr": 1e-3},
    ]
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.01)

    def prepared(text: str) -> tuple[list[int], list[tuple[int, int]]]:
        coded = pieces.encode(text[:500])
        kept = [(i, o) for i, o in zip(coded.ids, coded.offsets, strict=True)]
        return [i for i, _ in kept], [o for _, o in kept]

    def wanted(row: Example, offsets: Sequence[tuple[int, int]]) -> list[int]:
        tags = _tags(row, "B", "I", "E", "S")
        out = []
        for s, e in offsets:
            own = {tag for tag in tags[s:e] if tag != "O"}
            pick = next((t for t in ("S", "B", "E", "I") if t in own), "O")
            out.append(names.index("S" if {"B", "E"} <= own else pick))
        return out

    def padded(rows: Sequence[list[int]], fill: int) -> Any:
        longest = max(map(len, rows))
        return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])

    rows = [(row, *prepared(row.text)) for row in learnt]
    lot = random.Random(seed)  # noqa: S311 - no secret
    steps = epochs * (len(rows) // 16 + 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: max(0.02, 1 - n / steps))
    body.train()
    for _ in range(epochs):
        lot.shuffle(rows)
        for at in range(0, len(rows), 16):
            part = rows[at : at + 16]
            ids = padded([ids for _, ids, _ in part], 0)
            mask = padded([[1] * len(ids) for _, ids, _ in part], 0)
            gold = padded([wanted(row, offsets) for row, _, offsets in part], -100)
            logits = head(body(input_ids=ids, attention_mask=mask).last_hidden_state)
            loss = nn.functional.cross_entropy(logits.transpose(1, 2), gold, ignore_index=-100)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(body.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    body.eval()

    def find(texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        out = []
        with torch.no_grad():
            for text in texts:
                ids, offsets = prepared(text)
                given = torch.tensor([ids])
                logits = head(body(input_ids=given).last_hidden_state)[0]
                spans = _spans([names[i] for i in logits.argmax(-1).tolist()])
                out.append(
                    [
                        (offsets[s][0], offsets[e - 1][1])
                        for s, e in spans
                        if offsets[e - 1][1] > offsets[s][0]
                    ]
                )
        return out

    return find


def main(arguments: Sequence[str] | None = None) -> None:
    """Train both taggers, and compare them with the grammar."""
    parser = argparse.ArgumentParser(prog="python -m commitments.train.actors", description=main.__doc__)
    parser.add_argument("--letters", default="seeds/letters/train.jsonl", help="gold letters with spans")
    parser.add_argument(
        "--replies", nargs=2, metavar=("GOLD", "ATTRIBUTES"), help="further gold to learn from"
    )
    parser.add_argument("--test", default="seeds/letters/test.jsonl", help="gold letters to measure on")
    parser.add_argument("--real", nargs=2, metavar=("GOLD", "ATTRIBUTES"), help="real replies to measure on")
    parser.add_argument("--encoder", help="folder of the project's encoder")
    parser.add_argument("--without-hanlp", action="store_true", help="leave HanLP out")
    parser.add_argument("-o", "--output", type=Path, help="JSON to write")
    given = parser.parse_args(arguments)
    learnt = examples(
        [
            Source(given.letters),
            *([Source(given.replies[0], given.replies[1], "message")] if given.replies else []),
        ]
    )
    sets = {"letters, test": examples([Source(given.test)])}
    if given.real:
        sets["real replies"] = examples([Source(given.real[0], given.real[1], "message")])
    finders: dict[str, Find] = {}
    if not given.without_hanlp:
        finders["HanLP, recurrent tagger"] = hanlp(learnt)
    if given.encoder:
        finders["our encoder, token classification"] = encoder(learnt, given.encoder)
    told: dict[str, dict[str, dict[str, float]]] = {}
    for name, rows in sets.items():
        told[name] = {"grammar": figures(rows, grammar(rows))}
        for method, find in finders.items():
            told[name][method] = figures(rows, find([row.text for row in rows]))
    text = json.dumps({"learnt": len(learnt), "figures": told}, ensure_ascii=False, indent=1)
    print(text)
    if given.output:
        given.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
