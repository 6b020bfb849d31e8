"""Corpora: every letter that goes in is accounted for, whatever happens to it or to the run."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")

import pyarrow.parquet as pq  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

import commitments  # noqa: E402
from commitments import batch, table  # noqa: E402
from commitments.batch import AnnotateConfig, Annotator, Limits, RunConfig, annotate  # noqa: E402
from commitments.batch.engines import Processes  # noqa: E402
from commitments.batch.inputs import as_batch, make_shard, rows, shards  # noqa: E402
from commitments.batch.store import OutputError  # noqa: E402
from commitments.cli import app  # noqa: E402
from commitments.errors import ReadError, SchemaError  # noqa: E402

ROOT = Path(__file__).parent.parent
CUES = AnnotateConfig(model="cues")
SERIAL = RunConfig(engine="serial", shard_letters=8)
LETTERS = [json.loads(line) for line in (ROOT / "seeds/letters/dev.jsonl").read_bytes().splitlines()]
SEED = (ROOT / "seeds/yangpu-2023-C-064.txt").read_text(encoding="utf-8")


def corpus(path: Path, count: int = 40) -> Path:
    """Letters with ids; some come twice."""
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            letter = LETTERS[n * 7 % len(LETTERS)]
            row = {"id": f"r{n}", "reply": letter["text"], "city": f"c{n % 3}"}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def test_rows_are_those_of_the_pipeline(nlp: commitments.Pipeline) -> None:
    given = pa.RecordBatch.from_pydict({"id": ["seed", "b"], "reply": [SEED, LETTERS[0]["text"]]})
    found = annotate(given, AnnotateConfig(model="cues", id="id"), nlp=nlp).to_pylist()
    wanted = table.rows(nlp(SEED)) + table.rows(nlp(LETTERS[0]["text"]))
    assert len(found) == len(wanted)
    for row, one in zip(found, wanted, strict=True):
        assert {**one, "name": row["name"], "error": None} == row
    assert {row["name"] for row in found} == {"seed", "b"}
    assert all(SEED[row["start"] : row["end"]] == row["text"] for row in found if row["name"] == "seed")


def test_row_of_a_letter_is_its_scores(nlp: commitments.Pipeline) -> None:
    given = pa.RecordBatch.from_pydict({"text": [SEED]})
    [row] = annotate(given, AnnotateConfig(level="reply"), nlp=nlp).to_pylist()
    reply = nlp(SEED)
    assert row["coverage"] == reply.scores.coverage
    assert row["measures"] == len(reply.measures)
    assert row["asks"] == 2
    assert row["agency"] == "杨浦区科学技术委员会"


def test_suggestion_and_date_columns_are_used(nlp: commitments.Pipeline) -> None:
    given = pa.RecordBatch.from_pydict(
        {
            "reply": ["年底前建成公园3个。"] * 3,
            "asked": [["建公园", "修路"], ["建公园"], None],
            "day": [datetime.date(2023, 6, 12), datetime.date(2024, 6, 12), None],
        }
    )
    config = AnnotateConfig(text="reply", suggestion="asked", date="day", columns=("asks", "deadline_end"))
    found = annotate(given, config, nlp=nlp).to_pylist()
    assert [row["deadline_end"] for row in found] == [
        datetime.date(2023, 12, 31),
        datetime.date(2024, 12, 31),
        None,
    ]
    assert found[0]["asks"] == ["S1"]
    texts = pa.RecordBatch.from_pydict({"reply": ["年底前建成公园3个。"], "day": ["2023/6/12"]})
    [row] = annotate(texts, AnnotateConfig(text="reply", date="day"), nlp=nlp).to_pylist()
    assert row["deadline_end"] == datetime.date(2023, 12, 31)


def test_bad_letters_have_an_error_and_leave_the_others_alone(nlp: commitments.Pipeline) -> None:
    given = pa.RecordBatch.from_pydict(
        {"id": [str(n) for n in range(5)], "reply": ["将建公园。", None, "  ", "长" * 50, "已建成公园。"]}
    )
    config = AnnotateConfig(id="id", columns=("name", "status"), max_chars=40)
    found = annotate(given, config, nlp=nlp).to_pylist()
    assert [row["status"] for row in found] == ["pledge", None, None, None, "completed"]
    assert [row["error"] is None for row in found] == [True, False, False, False, True]
    assert "more than 40" in found[3]["error"]


def test_batch_size_does_not_matter(nlp: commitments.Pipeline) -> None:
    given = pa.RecordBatch.from_pydict({"text": [letter["text"] for letter in LETTERS]})
    config = AnnotateConfig(columns=("sentence", "status", "asks", "confidence"))
    whole = annotate(given, config, nlp=nlp).to_pylist()
    parts: list[dict[str, Any]] = []
    for n in range(0, len(LETTERS), 3):
        parts += annotate(given.slice(n, 3), config, nlp=nlp).to_pylist()
    assert parts == whole


def test_a_table_cannot_name_files_to_be_read(nlp: commitments.Pipeline, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("将建公园。", encoding="utf-8")
    row = {"reply": "已建成公园。", "__path__": str(secret), "__error__": "none", "__name__": "other"}
    lines, sheet, parquet = tmp_path / "a.jsonl", tmp_path / "a.csv", tmp_path / "a.parquet"
    lines.write_text(json.dumps(row), encoding="utf-8")
    sheet.write_text("\n".join(",".join(part) for part in (row, row.values())), encoding="utf-8")
    given = pa.Table.from_pylist([row])
    pq.write_table(given, parquet)
    assert [found["text"] for found in annotate(given.to_batches()[0], nlp=nlp).to_pylist()] == [
        "已建成公园。"
    ]
    assert [s["text"] for s in nlp.annotate({k: [v] for k, v in row.items()})["sentences"][0]] == [
        "已建成公园。"
    ]
    for file in (lines, sheet, parquet):
        out = tmp_path / f"{file.suffix[1:]}.out.parquet"
        batch.score(file, out, CUES, SERIAL)
        assert [(found["text"], found["error"]) for found in read(out)] == [("已建成公园。", None)], file


def test_a_list_in_one_row_changes_no_other_row(nlp: commitments.Pipeline) -> None:
    asked = "建议：\n1.新建社区公园。\n2.修建道路，改善交通。"
    letter = {"reply": "将新建社区公园。将修建道路。", "message": asked}
    beside = [{"reply": ["将建公园。"]}, {"reply": "将建公园。", "message": ["建公园", None]}]
    worker = Annotator(AnnotateConfig(columns=("asks", "link_by", "text")), nlp)
    alone = worker(as_batch([letter], worker.config)).to_pylist()
    found = worker(as_batch([letter, *beside], worker.config)).to_pylist()
    assert found[:2] == alone
    assert alone[0]["error"] is None
    assert len(alone) == 2
    assert found[2]["error"] == "holds no text: its 'reply' is a list"
    assert found[3]["asks"] == ["S1"]


def test_columns_that_are_not_there_are_told(nlp: commitments.Pipeline) -> None:
    given = pa.RecordBatch.from_pydict({"words": ["将建公园。"]})
    with pytest.raises(SchemaError, match="no column with the letters' text"):
        annotate(given, nlp=nlp)
    with pytest.raises(SchemaError, match="there is no column 'reply'; there are 'words'"):
        annotate(given, AnnotateConfig(text="reply"), nlp=nlp)
    with pytest.raises(SchemaError, match="there is no column 'statuses'"):
        batch.schema(AnnotateConfig(columns=("statuses",)))


def _csv(path: Path, encoding: str, separator: str = ",") -> Path:
    quoted = '"第一行，\n下一步，将建""公园""。"'
    path.write_bytes(
        f"编号{separator}答复内容\r\n甲{separator}{quoted}\r\n乙{separator}已建成公园。\r\n".encode(encoding)
    )
    return path


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [("utf-8", ","), ("utf-8-sig", ","), ("gb18030", ","), ("utf-16", "\t"), ("gb18030", ";")],
)
def test_csv_as_spreadsheets_write_it(tmp_path: Path, encoding: str, separator: str) -> None:
    path = _csv(tmp_path / "a.csv", encoding, separator)
    found = list(rows([str(path)], AnnotateConfig(id="编号")))
    assert [row["编号"] for row in found] == ["甲", "乙"]
    assert found[0]["答复内容"] == '第一行，\n下一步，将建"公园"。'


def test_xlsx_and_parquet(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in (
        ["编号", "答复内容", "日期"],
        ["甲", "将建公园。", datetime.date(2023, 6, 12)],
        [None, None],
    ):
        book.active.append(line)
    book.save(tmp_path / "a.xlsx")
    pq.write_table(
        pa.table({"编号": ["甲"], "答复内容": ["将建公园。"], "图": [b"\xff"]}), tmp_path / "a.parquet"
    )
    for name in ("a.xlsx", "a.parquet"):
        [row] = rows([str(tmp_path / name)], AnnotateConfig(id="编号"))
        assert (row["编号"], row["答复内容"]) == ("甲", "将建公园。")
        assert "图" not in row


def test_rows_that_cannot_be_read_keep_their_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        b'{"reply": "\xe5\xb0\x86\xe5\xbb\xba\xe5\x85\xac\xe5\x9b\xad\xe3\x80\x82"}',
        b'{"reply": "\xff"}',
        b"{not json",
        b'["a list"]',
        b"",
        b'{"reply": 3}',
        b'{"other": "x"}',
        b'{"reply": "\\ud800 \xe5\xb0\x86"}',
        b'{"reply": "' + "已建成公园。".encode() + b'"}',
    ]
    path.write_bytes(b"\n".join(lines))
    done = batch.score(path, tmp_path / "o.parquet", AnnotateConfig(model="cues", text="reply"), SERIAL)
    found = read(tmp_path / "o.parquet")
    assert done.letters == 8
    assert done.errors == 6
    assert [row["name"].rpartition(":")[2] for row in found if row["error"]] == ["2", "3", "4", "6", "7", "8"]
    assert [row["status"] for row in found if not row["error"]] == ["pledge", "completed"]
    summary = json.loads((tmp_path / "o.parquet.summary.json").read_text(encoding="utf-8"))
    assert summary["errors"] == 6
    assert not (tmp_path / "o.parquet.parts").exists()


def test_folders_globs_and_files_that_are_no_letters(tmp_path: Path) -> None:
    pytest.importorskip("pypdfium2")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("将建公园。", encoding="utf-8")
    (tmp_path / "in/b.pdf").write_bytes(b"%PDF-1.4 and no more")
    (tmp_path / "in/c.txt").write_bytes(b"")
    corpus(tmp_path / "in/d.jsonl", 2)
    done = batch.score([tmp_path / "in"], tmp_path / "o.jsonl", CUES, SERIAL)
    assert (done.letters, done.errors) == (5, 2)
    again = batch.score([f"{tmp_path}/in/*.txt"], tmp_path / "p.jsonl", CUES, SERIAL)
    assert (again.letters, again.errors) == (2, 1)
    with pytest.raises(ReadError, match="no such file"):
        batch.score(tmp_path / "nowhere.jsonl", tmp_path / "q.jsonl", CUES, SERIAL)


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv", ""])
def test_serial_and_processes_write_the_same(tmp_path: Path, suffix: str) -> None:
    given = corpus(tmp_path / "in.jsonl")
    config = AnnotateConfig(model="cues", id="id", keep=("city",), level="measure")
    made = []
    for name, run in (("one", SERIAL), ("two", RunConfig(workers=2, shard_letters=8))):
        out = tmp_path / f"{name}{suffix}"
        done = batch.score(given, out, config, run)
        assert done.letters == 40
        if suffix:
            made.append(out.read_bytes())
        else:
            made.append(b"".join(p.read_bytes() for p in sorted(out.glob("part-*.parquet"))))
            assert pq.read_table(out).num_rows == done.rows
    assert made[0] == made[1]


def test_csv_for_spreadsheets_holds_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"id": "=1+1", "reply": "将建公园。"}), encoding="utf-8")
    config = AnnotateConfig(model="cues", id="id", columns=("name", "status"))
    batch.score(path, tmp_path / "a.csv", config, RunConfig(engine="serial", excel=True))
    assert (tmp_path / "a.csv").read_bytes().decode("utf-8-sig").splitlines()[1] == "'=1+1,pledge,"
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_output_that_is_there_is_not_touched(tmp_path: Path) -> None:
    given = corpus(tmp_path / "in.jsonl", 3)
    out = tmp_path / "o.jsonl"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="there already"):
        batch.score(given, out, CUES, SERIAL)
    with pytest.raises(OutputError, match="there already"):
        batch.score(given, out, CUES, SERIAL, resume=True)
    assert out.read_text(encoding="utf-8") == "mine"
    batch.score(given, out, CUES, SERIAL, overwrite=True)
    assert batch.score(given, out, CUES, SERIAL, resume=True).resumed == 3
    with pytest.raises(OutputError, match="another input, model or configuration"):
        batch.score(given, out, AnnotateConfig(model="keywords"), SERIAL, resume=True)


class Stop(Exception):  # noqa: N818 - stands for Ctrl-C
    pass


def _stopped_after(given: Path, out: Path, shards: int, config: AnnotateConfig = CUES) -> None:
    seen = []

    def progress(at: batch.Progress) -> None:
        seen.append(at)
        if len(seen) == shards:
            raise Stop

    with pytest.raises(Stop):
        batch.score(given, out, config, SERIAL, progress=progress)


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    given = corpus(tmp_path / "in.jsonl")
    batch.score(given, tmp_path / "whole.jsonl", CUES, SERIAL)
    out = tmp_path / "o.jsonl"
    _stopped_after(given, out, 3)
    assert not out.exists()
    with pytest.raises(OutputError, match="--resume"):
        batch.score(given, out, CUES, SERIAL)
    seen: list[batch.Progress] = []
    done = batch.score(given, out, CUES, SERIAL, resume=True, progress=seen.append)
    assert done.resumed == seen[2].resumed == 24
    assert seen[-1].letters == 40
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("damage", ["journal", "part", "gone"])
def test_what_a_crash_spoilt_is_done_again(tmp_path: Path, damage: str) -> None:
    given = corpus(tmp_path / "in.jsonl")
    batch.score(given, tmp_path / "whole.jsonl", CUES, SERIAL)
    out = tmp_path / "o.jsonl"
    _stopped_after(given, out, 3)
    work = tmp_path / "o.jsonl.parts"
    if damage == "journal":
        journal = work / "_journal.jsonl"
        journal.write_bytes(journal.read_bytes()[:-20])
    elif damage == "part":
        part = work / "part-000001.parquet"
        part.write_bytes(part.read_bytes()[:100])
    else:
        (work / "part-000000.parquet").unlink()
    seen: list[batch.Progress] = []
    batch.score(given, out, CUES, SERIAL, resume=True, progress=seen.append)
    assert seen[-1].resumed == 16
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_another_input_model_or_configuration_is_refused(tmp_path: Path) -> None:
    given = corpus(tmp_path / "in.jsonl")
    out = tmp_path / "o.jsonl"
    _stopped_after(given, out, 1)
    with pytest.raises(OutputError, match=r"config\.level was 'sentence' and is 'reply'"):
        batch.score(given, out, AnnotateConfig(model="cues", level="reply"), SERIAL, resume=True)
    with pytest.raises(OutputError, match=r"model\.name"):
        batch.score(given, out, AnnotateConfig(model="keywords"), SERIAL, resume=True)
    corpus(given, 41)
    with pytest.raises(OutputError, match=r"input.*in\.jsonl was"):
        batch.score(given, out, CUES, SERIAL, resume=True)
    assert batch.score(given, out, CUES, SERIAL, overwrite=True).letters == 41


def test_two_runs_exclude_each_other(tmp_path: Path) -> None:
    from commitments.batch.store import Store

    given = corpus(tmp_path / "in.jsonl", 3)
    held = Store(tmp_path / "o.jsonl.parts")
    with pytest.raises(OutputError, match="another run"):
        batch.score(given, tmp_path / "o.jsonl", CUES, SERIAL)
    held.close()
    assert batch.score(given, tmp_path / "o.jsonl", CUES, SERIAL).letters == 3


def test_strict_stops_at_the_first_error(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"reply": "将建公园。"}\n{"reply": ""}\n', encoding="utf-8")
    with pytest.raises(SchemaError, match=r"in\.jsonl:2: holds no text"):
        batch.score(path, tmp_path / "o.jsonl", CUES, RunConfig(engine="serial", strict=True))


def _shard(texts: Sequence[str]) -> Any:
    found = ({"__name__": f"r{n}", "reply": text} for n, text in enumerate(texts))
    [one] = shards(found, CUES, characters=10**9)
    return one


def test_a_letter_that_takes_too_long_is_an_error_and_the_others_are_read() -> None:
    engine = Processes(CUES, 1, Limits(seconds=0.4))
    try:
        engine.submit(_shard(["将建公园。", "、".join(["将建公园"] * 300_000), "已建成公园。"]))
        done = engine.next()
        engine.submit(_shard(["正在建公园。"]))
        after = engine.next()
    finally:
        engine.close()
    assert [f.name for f in done.failures] == ["r1"]
    assert "longer than 0.4 seconds" in done.failures[0].reason
    found = pq.read_table(pa.BufferReader(done.parquet)).to_pylist()
    assert [(row["name"], row["status"]) for row in found] == [
        ("r0", "pledge"),
        ("r1", None),
        ("r2", "completed"),
    ]
    assert after.failures == ()


def test_a_worker_that_is_killed_is_replaced_and_its_letters_are_read() -> None:
    texts = [letter["text"] for letter in LETTERS] * 10
    shard = _shard(texts)
    engine = Processes(CUES, 1)
    try:
        engine.submit(_shard(["将建公园。"]))
        engine.next()  # the worker is up
        engine.submit(shard)
        time.sleep(0.05)
        pid = engine._workers[0].process.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        done = engine.next()
        assert engine._workers[0].process.pid != pid
    finally:
        engine.close()
    assert done.failures == ()
    assert done.letters == len(texts)
    alone = batch.annotator(CUES)(shard.table())
    assert pq.read_table(pa.BufferReader(done.parquet)).to_pylist() == alone.to_pylist()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded where the system tells its size")
def test_a_letter_that_needs_too_much_memory_is_an_error() -> None:
    engine = Processes(CUES, 1, Limits(seconds=60, megabytes=60))
    try:
        engine.submit(_shard(["将建公园。", "、".join(["将建公园"] * 380_000), "已建成公园。"]))
        done = engine.next()
    finally:
        engine.close()
    assert [f.name for f in done.failures] == ["r1"]
    assert "memory" in done.failures[0].reason or "MB" in done.failures[0].reason


def test_shards_are_cut_by_letters_and_characters() -> None:
    found = [{"__name__": str(n), "reply": "字" * size} for n, size in enumerate([10, 10, 300, 5, 5])]
    cut = list(shards(found, CUES, letters=2, characters=200))
    assert [shard.letters for shard in cut] == [2, 1, 2]
    assert [shard.index for shard in cut] == [0, 1, 2]
    assert cut[1].alone(0).table().to_pylist()[0]["__name__"] == "2"
    assert make_shard(0, cut[0].table(), 0).digest == cut[0].digest


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "commitments.cli", "score", *words]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_killed_and_resumed_from_the_command_line(tmp_path: Path) -> None:
    given = corpus(tmp_path / "in.jsonl", 600)
    words = [str(given), "--text-column", "reply", "--workers", "2", "-m", "cues", "--id-column", "id"]
    whole = tmp_path / "whole.parquet"
    assert subprocess.run(_command(*words, "-o", str(whole), "-q"), check=False).returncode == 0
    out = tmp_path / "a.parquet"
    for how in (signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen(_command(*words, "-o", str(out), "--resume", "-q"), stderr=subprocess.PIPE)
        journal = tmp_path / "a.parquet.parts/_journal.jsonl"
        before = journal.stat().st_size if journal.exists() else 0
        while not (journal.exists() and journal.stat().st_size > before) and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(how)
        told = process.communicate()[1]
        if how is signal.SIGINT and process.returncode != 0:
            assert process.returncode == 130
            assert b"--resume goes on" in told
    assert subprocess.run(_command(*words, "-o", str(out), "--resume", "-q"), check=False).returncode == 0
    assert read(out) == read(whole)


def test_command_line_tells_what_went_wrong(tmp_path: Path) -> None:
    run = CliRunner()
    given = corpus(tmp_path / "in.jsonl", 2)
    out = str(tmp_path / "o.csv")
    shown = run.invoke(app, ["score", str(given), "-o", out, "--text-column", "text", "-m", "cues"])
    assert shown.exit_code == 1
    assert "'text'" in shown.output
    assert "city, id, reply" in shown.output
    shown = run.invoke(app, ["score", str(given), "-o", out, "-m", "cues", "--dry-run"])
    assert shown.exit_code == 0
    assert "2 letters; about" in shown.output
    assert not Path(out).exists()
    with given.open("a", encoding="utf-8") as file:
        file.write('{"id": "bad", "reply": ""}\n')
    words = ["score", str(given), "-o", out, "-m", "cues", "--engine", "serial", "--level", "reply"]
    shown = run.invoke(app, [*words, "--log-json"])
    assert shown.exit_code == 1
    assert "in.jsonl:3: holds no text" in shown.output
    assert '"letters": 3' in shown.output
    assert len(Path(out).read_text(encoding="utf-8").splitlines()) == 4
    shown = run.invoke(app, words)
    assert shown.exit_code == 1
    assert "there already" in shown.output


def test_standard_input(tmp_path: Path) -> None:
    given = corpus(tmp_path / "in.jsonl", 3).read_bytes()
    for name, data in (("a", given), ("b", "编号,答复\n甲,将建公园。\n".encode("gb18030"))):
        out = tmp_path / f"{name}.jsonl"
        words = ["-", "-o", str(out), "-m", "cues", "--engine", "serial", "--level", "reply"]
        run = subprocess.run(_command(*words), input=data, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr
        assert len(out.read_text(encoding="utf-8").splitlines()) == (3 if name == "a" else 1)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    given = corpus(tmp_path / "in.jsonl", 3)
    (tmp_path / "ro").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        batch.score(given, tmp_path / "ro/o.jsonl", CUES, SERIAL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is full")
def test_a_full_disk_is_told_and_the_run_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = corpus(tmp_path / "in.jsonl", 30)
    out = tmp_path / "o.jsonl"
    calls = []
    fsync = os.fsync

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 9:
            raise OSError(28, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        batch.score(given, out, CUES, SERIAL)
    monkeypatch.undo()
    seen: list[batch.Progress] = []
    assert batch.score(given, out, CUES, SERIAL, resume=True, progress=seen.append).letters == 30
    assert seen[-1].resumed > 0
