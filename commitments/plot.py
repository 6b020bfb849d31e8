"""Figures of replies with matplotlib: from the tables of this library, into Axes that you can change (图).

Each function takes a table (one row a sentence or a measure, with the columns of `commitments.table`), or
what an evaluation says of a model's confidence, draws into `ax` or into new Axes, and returns them. Statuses
have the colours of the letter's page and a hatch each, so that they are told apart in print too.

>>> import commitments
>>> reply = commitments.load("cues")("我局已建成公园3个。下一步，将再建2个。")
>>> ax = status_bars(reply.to_frame(), by="kind")
>>> [container.get_label() for container in ax.containers]
['completed', 'ongoing', 'pledge']
"""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from commitments import calibration
from commitments.calibration import Calibration
from commitments.errors import MissingExtra, SchemaError
from commitments.terms import Status
from commitments.view import colours

try:
    import matplotlib.dates as mdates
    import pandas as pd
    from matplotlib import font_manager
    from matplotlib.figure import Figure
except ImportError as missing:
    raise MissingExtra("Drawing figures", "plot") from missing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {status: colours()[status.value] for status in Status if status is not Status.NONE}
"""Those of the letter's page."""

_HATCHES = {Status.COMPLETED: "", Status.ONGOING: "///", Status.PLEDGE: "..."}
_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK JP",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Heiti SC",
    "Arial Unicode MS",
)


@lru_cache(maxsize=1)
def chinese_font() -> str | None:
    """The name of an installed font with Chinese characters; ``None``, with a warning, when there is none."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    found = next((name for name in _FONTS if name in known), None)
    if found is None:
        warnings.warn(
            "no font with Chinese characters was found, so that they show as boxes: install one, such as "
            "Noto Sans CJK (Debian: fonts-noto-cjk), and remove matplotlib's font cache",
            stacklevel=3,
        )
    return found


def status_bars(
    frame: pd.DataFrame, by: str = "agency", *, top: int = 15, share: bool = True, ax: Axes | None = None
) -> Axes:
    """Measures by status, one bar a group.

    Args:
        frame: one row a sentence or a measure.
        by: column whose values make the groups.
        top: groups with most measures that are shown.
        share: shares of the group's measures; else numbers.
        ax: Axes to draw into.

    Raises:
        SchemaError: there is no such column.
    """
    _need(frame, by, "status")
    held = _measures(frame)
    groups = held[by].astype(object).where(held[by].notna(), "not told").astype(str)
    counts = held.groupby([groups, "status"], observed=True).size().unstack(fill_value=0)
    counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index[:top]][::-1]
    ax = _axes(ax, height=0.9 + 0.32 * max(len(counts), 2))
    total = counts.sum(axis=1)
    left = total * 0.0
    for status in COLOURS:
        width = counts.get(status.value, left * 0) / (total if share else 1)
        ax.barh(
            range(len(counts)),
            width,
            left=left,
            color=COLOURS[status],
            hatch=_HATCHES[status],
            edgecolor="white",
            label=status.value,
        )
        left = left + width
    ax.set_yticks(range(len(counts)), [f"{name} ({n})" for name, n in total.items()])
    ax.set_xlabel("share of measures" if share else "measures")
    _dress(ax)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return ax


def deadline_timeline(
    frame: pd.DataFrame, *, today: datetime.date | None = None, top: int = 40, ax: Axes | None = None
) -> Axes:
    """Pledges by the last day that they name, in the order of these days.

    Args:
        frame: one row a sentence or a measure.
        today: a day to be marked.
        top: pledges that are shown, the earliest first.
        ax: Axes to draw into.

    Raises:
        SchemaError: the table has no deadlines.
    """
    _need(frame, "status", "deadline_end", "clean")
    held = frame[(frame["status"] == Status.PLEDGE.value) & frame["deadline_end"].notna()]
    held = held.sort_values("deadline_end", kind="stable").head(top)
    days = pd.to_datetime(held["deadline_end"])
    ax = _axes(ax, height=1 + 0.28 * max(len(held), 3))
    places = range(len(held))[::-1]
    # Where a deadline names a first day too, the line spans the interval.
    starts = pd.to_datetime(held["deadline_start"]) if "deadline_start" in held else days
    for place, start, end in zip(places, starts, days, strict=True):
        if not pd.isna(start) and start < end:
            ax.plot([start, end], [place, place], color=COLOURS[Status.PLEDGE], linewidth=2, alpha=0.5)
    ax.plot(days, list(places), "D", color=COLOURS[Status.PLEDGE], markersize=5)
    ax.set_yticks(list(places), [_short(text) for text in held["clean"]])
    if today is not None:
        at: Any = mdates.date2num(today)  # type: ignore[no-untyped-call]
        ax.axvline(at, color="0.3", linestyle="--", linewidth=1)
        ax.annotate(f"{today}", (at, len(held) - 0.4), fontsize="small", ha="center")
    # Three years are enough to mark years: from five on, as by default, it warns that months are too many.
    locator: Any = mdates.AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.margins(x=0.08)
    _dress(ax)
    return ax


def ask_flow(frame: pd.DataFrame, *, top: int = 15, ax: Axes | None = None) -> Axes:
    """What each ask is answered with: bands from the asks to the statuses of the measures that answer them.

    Args:
        frame: one row a sentence or a measure, best of one letter: asks are told apart by their ids.
        top: asks with most measures that are shown.
        ax: Axes to draw into.

    Raises:
        SchemaError: the table has no asks.
    """
    _need(frame, "status", "asks")
    held = _measures(frame).explode("asks").dropna(subset=["asks"])
    counts = held.groupby(["asks", "status"], observed=True).size().unstack(fill_value=0)
    counts = counts.loc[
        counts.sum(axis=1).sort_values(ascending=False, kind="stable").index[:top]
    ].sort_index()
    ax = _axes(ax, height=3.5)
    whole = max(int(counts.to_numpy().sum()), 1)
    gap = 0.04 * whole
    left, right, at = {}, {}, 0.0
    for name, size in counts.sum(axis=1).items():
        left[name], at = at, at + size + gap
    at = 0.0
    for status in COLOURS:
        right[status], at = at, at + counts.get(status.value, pd.Series(dtype=int)).sum() + gap
    marks = dict(left), dict(right)
    for name in counts.index:
        for status in COLOURS:
            size = counts.get(status.value, pd.Series(0, index=counts.index))[name]
            if size:
                _band(ax, left[name], right[status], size, COLOURS[status])
                left[name] += size
                right[status] += size
    for name, size in counts.sum(axis=1).items():
        ax.text(-0.02, marks[0][name] + size / 2, f"{name}  {size}", ha="right", va="center")
    for status in COLOURS:
        size = right[status] - marks[1][status]
        if size:
            told = f"{status.value}  {size:.0f}"
            ax.text(1.02, marks[1][status] + size / 2, told, ha="left", va="center", color=COLOURS[status])
    ax.set_xlim(-0.25, 1.35)
    ax.set_ylim(max(at, whole + gap * len(counts)), -gap)
    ax.axis("off")
    _dress(ax)
    return ax


def reliability(
    judged: Iterable[tuple[float, bool]] | Calibration,
    *,
    count: int = calibration.BINS,
    ax: Axes | None = None,
) -> Axes:
    """How often a status is right, by how sure the model is; on the line, confidence means what it says.

    Args:
        judged: confidence, and whether the status was right, of each sentence: `commitments.metrics.judged`;
            or what `commitments.evaluate.evaluate` found, such as ``evaluation.calibration["base"]``.
        count: of bins, which hold equally many sentences; an evaluation has its own.
        ax: Axes to draw into.
    """
    ax = _axes(ax, height=4.2, width=4.6)
    held = judged.bins if isinstance(judged, Calibration) else calibration.bins(judged, count)
    ax.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
    ax.plot([b.confidence for b in held], [b.right for b in held], "o-", color=COLOURS[Status.ONGOING])
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
    ax.annotate(f"error {calibration.error(held):.3f}", (0.04, 0.93))
    _dress(ax)
    return ax


def risk_coverage(
    judged: Iterable[tuple[float, bool]] | Calibration,
    *,
    thresholds: Sequence[float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How many of the decided sentences are wrong, by how many are decided.

    Args:
        judged: as for `reliability`.
        thresholds: of the confidence; a hundred when not given. An evaluation has its own.
        ax: Axes to draw into.
    """
    ax = _axes(ax, height=3.6, width=5)
    if isinstance(judged, Calibration):
        points = judged.curve
    else:
        steps = [n / 100 for n in range(100)] if thresholds is None else thresholds
        points = calibration.curve(judged, steps)
    held = sorted((p.coverage, p.risk) for p in points if p.coverage)
    ax.step([c for c, _ in held], [r for _, r in held], where="post", color=COLOURS[Status.PLEDGE])
    ax.set(xlabel="share that is decided", ylabel="share of these that is wrong", xlim=(0, 1.02))
    ax.set_ylim(bottom=0)
    _dress(ax)
    return ax


def _need(frame: pd.DataFrame, *names: str) -> None:
    lacking = [name for name in names if name not in frame]
    if lacking:
        raise SchemaError(
            f"the table has no column {', '.join(lacking)}; it has {', '.join(map(str, frame))}"
        )


def _measures(frame: pd.DataFrame) -> pd.DataFrame:
    held: pd.DataFrame = frame[frame["status"].isin([status.value for status in COLOURS])]
    if "undecided" in held:
        held = held.loc[~held["undecided"].fillna(False).astype(bool)]
    return held


def _axes(ax: Axes | None, *, height: float, width: float = 7.5) -> Axes:
    """New Axes need no window and no pyplot, so that nothing is left behind."""
    if ax is not None:
        return ax
    return Figure(figsize=(width, height), layout="constrained").subplots()


def _dress(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    name = chinese_font()
    families = [name, "DejaVu Sans"] if name else ["DejaVu Sans"]
    texts = [
        *ax.get_xticklabels(),
        *ax.get_yticklabels(),
        *ax.texts,
        ax.xaxis.label,
        ax.yaxis.label,
        ax.title,
    ]
    for text in texts:
        text.set_fontfamily(families)


def _band(ax: Axes, left: float, right: float, size: float, colour: str) -> None:
    """A band that leaves level, turns, and arrives level."""
    steps = [n / 40 for n in range(41)]
    bends = [x * x * (3 - 2 * x) for x in steps]
    low = [left + (right - left) * bend for bend in bends]
    ax.fill_between(steps, low, [y + size for y in low], color=colour, alpha=0.55, linewidth=0)


def _short(text: Any, size: int = 30) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= size else words[: size - 1] + "…"
