"""Gold letters and results as `datasets` (extra ``datasets``).

`load_dataset` gives the letters of ``seeds/``, or of a gold file of one's own, with declared features;
`from_row` makes a gold letter of a row again. ``dataset.map(nlp.annotate, batched=True, num_proc=2)`` reads
letters: a pipeline is hashed and sent to workers as what it was loaded from, so that the cache knows it
again.

>>> letters = load_dataset("letters", split="dev")
>>> letters.features["units"].feature["label"].names
['completed', 'ongoing', 'pledge', 'none']
>>> from_row(letters[0], letters.features).id == letters[0]["id"]
True
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from commitments import corpus
from commitments.corpus import GoldDocument
from commitments.errors import MissingExtra, SchemaError
from commitments.terms import Status

try:
    import datasets
except ImportError as missing:
    raise MissingExtra("A Dataset", "datasets") from missing

SPLITS = ("train", "dev", "test")
_SEEDS = Path(__file__).resolve().parent.parent / "seeds"
_STATUSES = [status.value for status in Status]
_SPANS = list(get_args(corpus.SpanKind))
_TEXTS = ("id", "text", "url", "agency", "date", "title", "doc_number", "message", "disposition", "follows")


def features() -> datasets.Features:
    """What a row of gold letters holds: statuses are class labels, attributes nested spans.

    Offsets are those of characters of ``text``; what was not annotated is ``None``.
    """
    text, whole = datasets.Value("string"), datasets.Value("int32")
    status = datasets.ClassLabel(names=_STATUSES)
    span = {"kind": datasets.ClassLabel(names=_SPANS), "start": whole, "end": whole, "text": text}
    unit = {
        "start": whole,
        "end": whole,
        "label": status,
        "also": [status],
        "links": [text],
        "strength": text,
        "spans": [span],
    }
    asks = [{"id": text, "text": text, "disposition": text}]
    return datasets.Features({**dict.fromkeys(_TEXTS, text), "kind": text, "asks": asks, "units": [unit]})


def load_dataset(name: str | Path = "letters", split: str | None = None, *, streaming: bool = False) -> Any:
    """Gold letters as a `datasets.Dataset`.

    Args:
        name: ``letters`` are those of a checkout's ``seeds/letters``, which are fiction; else the path of a
            gold file (JSONL).
        split: ``train``, ``dev`` or ``test``; of a file, what it is called. All as a ``DatasetDict`` when not
            given.
        streaming: an ``IterableDataset``, which reads letter by letter.

    Raises:
        SchemaError: there is no such set or split, or a letter is wrong.
    """
    if name == "letters":
        files = {part: _SEEDS / "letters" / f"{part}.jsonl" for part in SPLITS}
        if not all(file.exists() for file in files.values()):
            raise SchemaError("the letters are in seeds/ of a checkout of the repository, not in the package")
    else:
        files = {split or "train": Path(name)}
        if not Path(name).is_file():
            raise SchemaError(f"{name}: there is no such gold file, and the only set is 'letters'")
    if split is not None and split not in files:
        raise SchemaError(f"there is no split {split!r}; there are {', '.join(files)}")
    made = {part: _one(file, part, streaming) for part, file in files.items() if split in (None, part)}
    if split is not None:
        return made[split]
    return (datasets.IterableDatasetDict if streaming else datasets.DatasetDict)(made)


def _one(file: Path, part: str, streaming: bool) -> Any:
    if streaming:
        return datasets.IterableDataset.from_generator(
            _rows, gen_kwargs={"path": str(file)}, features=features(), split=datasets.NamedSplit(part)
        )
    rows = list(_rows(str(file)))
    columns = {name: [row.get(name) for row in rows] for name in features()}  # which no letter has lists none
    return datasets.Dataset.from_dict(columns, features=features(), split=datasets.NamedSplit(part))


def _rows(path: str) -> Iterator[dict[str, Any]]:
    for document in corpus.iterate(path):
        yield to_row(document)


def to_row(document: GoldDocument) -> dict[str, Any]:
    """A gold letter as a row with the features of `features`."""
    row: dict[str, Any] = msgspec.to_builtins(document)
    return row


def from_row(row: Mapping[str, Any], known: datasets.Features | None = None) -> GoldDocument:
    """A row as a gold letter again.

    Args:
        row: as a dataset gives it.
        known: the dataset's features, where its class labels may stand in another order.

    Raises:
        SchemaError: offsets, labels or links do not fit.
    """
    unit = _item((known or features())["units"])
    labels, kinds = unit["label"].names, _item(unit["spans"])["kind"].names
    data = {name: row.get(name) for name in (*_TEXTS, "kind", "asks")}
    data["units"] = [
        {
            **one,
            "label": _name(one["label"], labels),
            "also": [_name(label, labels) for label in one["also"]],
            "spans": [{**span, "kind": _name(span["kind"], kinds)} for span in one["spans"]],
        }
        for one in row["units"]
    ]
    try:
        document = msgspec.convert(data, GoldDocument)
    except msgspec.ValidationError as error:
        raise SchemaError(f"no gold letter: {error}") from error
    corpus.check(document)
    return document


def _name(label: int | str, names: list[str]) -> str:
    return label if isinstance(label, str) else names[label]


def _item(feature: Any) -> Any:
    """What a list of features holds; older releases of datasets write it as a list."""
    return feature[0] if isinstance(feature, list) else feature.feature
