"""What a researcher counts in a reply: coverage, shares, specificity, concreteness (评分).

Every figure is one definition with its formula in the docstring of `Scores`; none is invented where there is
nothing to count: it is ``None`` then. `compare` sets groups of replies side by side, with intervals that come
from resampling letters, because sentences of one letter are not independent.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from commitments.errors import MissingExtra, SchemaError
from commitments.reply import Reply, Sentence
from commitments.terms import DeadlineKind, Disposition, Role, Status, Strength

if TYPE_CHECKING:
    import pandas as pd

_DATED = frozenset({DeadlineKind.BY, DeadlineKind.FROM, DeadlineKind.WITHIN, DeadlineKind.PERIOD})
_FRAME = frozenset({Role.OPENING, Role.CLOSING, Role.SALUTATION})
_READ = frozenset({Role.BODY, Role.OPENING, Role.CLOSING})

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 20230612


class Scores(msgspec.Struct, frozen=True):
    """Figures of one reply, from 0 to 1 unless said otherwise; ``None`` where there is nothing to count.

    Attributes:
        measures: number of measures.
        coverage: asks that some measure answers ÷ asks. The idea is that of responsiveness: whether each of
            the demands is met with an act (G. Distelhorst & Y. Hou, “Constituency Service under
            Nondemocratic Rule”, Journal of Politics 79(3), 2017, measure it for mayors' mailboxes).
        declined: asks declined or only explained ÷ asks.
        completed: completed measures ÷ measures.
        ongoing: ongoing measures ÷ measures.
        pledge: pledges ÷ measures.
        specificity: mean over pledges of `specificity`, from 0 to 4. How precisely a promise can be checked
            is what research on election pledges grades (T. Royed, “Testing the Mandate Model in Britain and
            the United States”, British Journal of Political Science 26(1), 1996); the four points are ours.
        dated: pledges with a deadline that names a date or a span ÷ pledges.
        quantified: pledges with a quantity ÷ pledges.
        attributed: pledges that name a body that acts ÷ pledges.
        firm: firm pledges ÷ pledges.
        concreteness: completed measures that tell a quantity ÷ completed measures.
        boilerplate: characters of the salutation, the opening and the closing ÷ characters of these and the
            body: how much of the letter is form.
    """

    measures: int
    coverage: float | None = None
    declined: float | None = None
    completed: float | None = None
    ongoing: float | None = None
    pledge: float | None = None
    specificity: float | None = None
    dated: float | None = None
    quantified: float | None = None
    attributed: float | None = None
    firm: float | None = None
    concreteness: float | None = None
    boilerplate: float | None = None


def specificity(pledge: Sentence) -> int:
    """How many of four things a pledge says: by when, how much, who, and firmly; each counts one.

    *By when* is a deadline that names a date or a span (not 尽快, not 每年); *who* is a body named in the
    sentence; *firmly* is `Strength.FIRM`.

    Args:
        pledge: a sentence whose status is pledge.

    >>> import commitments
    >>> nlp = commitments.load("cues")
    >>> [vague] = nlp("下一步，我局将探索加强管理。").pledges
    >>> [plain] = nlp("下一步，由市住建局于2024年底前新建公园3个。", date="2023-06-12").pledges
    >>> specificity(vague), specificity(plain)
    (0, 4)
    """
    return (
        _is_dated(pledge) + bool(pledge.quantities) + bool(pledge.actors) + (pledge.strength is Strength.FIRM)
    )


def _is_dated(s: Sentence) -> bool:
    return any(d.kind in _DATED for d in s.deadlines)


def scores(reply: Reply) -> Scores:
    """The figures of one reply; also ``reply.scores``.

    >>> import commitments
    >>> reply = commitments.load("cues")("我局已建成公园3个。下一步，我局将再建2个。")
    >>> reply.scores.completed, reply.scores.pledge, reply.scores.concreteness
    (0.5, 0.5, 1.0)
    """
    measures = reply.measures
    pledges = [s for s in measures if s.status is Status.PLEDGE]
    done = [s for s in measures if s.status is Status.COMPLETED]
    answered = sum(bool(reply.answers(ask.id)) for ask in reply.asks)
    refused = sum(a.disposition in (Disposition.DECLINED, Disposition.EXPLAINED) for a in reply.asks)
    read = [s for s in reply.sentences if s.role in _READ or s.role in _FRAME]
    form = sum(len(s.clean or s.text) for s in read if s.role in _FRAME)
    return Scores(
        measures=len(measures),
        coverage=_share(answered, reply.asks),
        declined=_share(refused, reply.asks),
        completed=_share(len(done), measures),
        ongoing=_share(sum(s.status is Status.ONGOING for s in measures), measures),
        pledge=_share(len(pledges), measures),
        specificity=_share(sum(map(specificity, pledges)), pledges),
        dated=_share(sum(map(_is_dated, pledges)), pledges),
        quantified=_share(sum(bool(s.quantities) for s in pledges), pledges),
        attributed=_share(sum(bool(s.actors) for s in pledges), pledges),
        firm=_share(sum(s.strength is Strength.FIRM for s in pledges), pledges),
        concreteness=_share(sum(bool(s.quantities) for s in done), done),
        boilerplate=_share(form, sum(len(s.clean or s.text) for s in read)),
    )


def _share(count: float, of: Sequence[object] | int) -> float | None:
    size = of if isinstance(of, int) else len(of)
    return count / size if size else None


def frame(replies: Iterable[Reply]) -> pd.DataFrame:
    """One row a reply: what it is, and its scores.

    Args:
        replies: as from ``nlp.pipe(texts)``.

    Raises:
        MissingExtra: pandas is not installed.

    >>> import commitments
    >>> table = frame(commitments.load("cues").pipe(["已建成公园。", "将建公园。"]))
    >>> table[["completed", "pledge"]].to_numpy().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    from commitments import table

    letters = table.to_frame(*replies, level="reply")
    made: pd.DataFrame = letters[
        ["name", "agency", "date", "kind", "asks", "result_code", *Scores.__struct_fields__]
    ]
    return made


def compare(
    table: pd.DataFrame,
    by: str | Sequence[str] | Callable[[pd.DataFrame], Any],
    *,
    columns: Sequence[str] | None = None,
    letter: str = "name",
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> pd.DataFrame:
    """Means of groups of replies, with intervals by letter.

    A table with several rows a letter, such as ``to_frame(level="measure")``, is averaged within each letter
    first; letters are then resampled with replacement within each group (percentile bootstrap, B. Efron & R.
    Tibshirani, *An Introduction to the Bootstrap*, 1993, ch. 13).

    Args:
        table: one row a reply (`frame`), or several.
        by: column, or columns, whose values make the groups; or what makes such values from the table.
        columns: figures to compare; when not given, all of `Scores` that the table has.
        letter: column that names the letter; where it is missing or empty, each row is one.
        resamples: rounds.
        seed: of the rounds: the same table gives the same intervals.

    Returns:
        One row a group and figure: the group, ``score``, ``letters``, ``mean``, ``low`` and ``high`` (95 %).

    Raises:
        MissingExtra: pandas is not installed.
        SchemaError: a column is not there.

    >>> import pandas as pd
    >>> told = compare(pd.DataFrame({"agency": ["甲", "甲", "乙"], "firm": [1.0, 0.0, 1.0]}), by="agency")
    >>> told[["agency", "score", "letters", "mean"]].to_numpy().tolist()
    [['乙', 'firm', 1, 1.0], ['甲', 'firm', 2, 0.5]]
    """
    pandas = _pandas()
    keys = by(table) if callable(by) else by
    names = [keys] if isinstance(keys, str) else keys
    if not isinstance(names, list | tuple):  # values made from the table
        table, names = table.assign(group=names), ["group"]
    names = list(names)
    wanted = list(columns) if columns is not None else [c for c in Scores.__struct_fields__ if c in table]
    if missing := [name for name in (*names, *wanted) if name not in table]:
        raise SchemaError(
            f"the table has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))}"
        )
    rows = []
    for key, group in table.groupby(names, dropna=False, sort=True):
        values = key if isinstance(key, tuple) else (key,)
        for name in wanted:
            letters = _by_letter(group, name, letter)
            if not letters:
                continue
            low, high = _interval(letters, resamples, (seed, *map(str, values), name))
            mean = statistics.fmean(letters)
            rows.append(
                {
                    **dict(zip(names, values, strict=True)),
                    "score": name,
                    "letters": len(letters),
                    "mean": mean,
                    "low": low,
                    "high": high,
                }
            )
    found: pd.DataFrame = pandas.DataFrame(rows, columns=[*names, "score", "letters", "mean", "low", "high"])
    return found


def _by_letter(group: pd.DataFrame, name: str, letter: str) -> list[float]:
    """The mean of each letter, those without a figure left out."""
    sums: dict[Hashable, list[float]] = {}
    labels = group[letter].tolist() if letter in group else [None] * len(group)
    for i, (label, value) in enumerate(zip(labels, group[name].tolist(), strict=True)):
        if value is not None and value == value:  # not NaN
            empty = label is None or label != label or label == ""
            sums.setdefault(("row", i) if empty else ("letter", label), []).append(float(value))
    return [statistics.fmean(values) for values in sums.values()]


def _interval(
    letters: Sequence[float], resamples: int, seed: tuple[object, ...]
) -> tuple[float | None, float | None]:
    if len(letters) < 2 or resamples < 1:
        return None, None
    lot = random.Random(repr(seed))  # noqa: S311 - no secret
    means = sorted(statistics.fmean(lot.choices(letters, k=len(letters))) for _ in range(resamples))
    tail = (1 - CONFIDENCE) / 2
    return means[int(tail * (len(means) - 1))], means[round((1 - tail) * (len(means) - 1))]


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtra("A table of scores", "pandas") from error
    return pd
