"""What a person at a terminal, a pipe and a script get from the commands."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

import commitments
from commitments import corpus
from commitments.cli import app
from commitments.explanation import Explanation
from commitments.reply import Reply
from commitments.terminal import Terminal
from commitments.terms import Role

LETTER = """关于增设公交站的建议的答复

李某代表：
您提出的关于增设公交站的建议收悉，现答复如下：
我局已在人民路增设公交站2处。
下一步，我局将延长末班车时间。
"""
ESCAPE = "\x1b"
SEED_GOLD = Path(__file__).parent.parent / "seeds" / "yangpu-2023-C-064.gold.jsonl"


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_text(LETTER, encoding="utf-8")
    return path


def run(*args: str | Path, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args], input=stdin, prog_name="commitments")


def process(
    *args: str | Path, env: dict[str, str] | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "commitments.cli", *map(str, args)],
        env={**os.environ, **(env or {})},
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )


def line_with(output: str, words: str) -> str:
    [line] = [line for line in output.splitlines() if line.rstrip().endswith(words)]
    return line


def test_show_marks_each_sentence_on_its_line(letter: Path) -> None:
    result = run("show", letter)
    assert result.exit_code == 0, result.output
    assert "✓" in line_with(result.stdout, "增设公交站2处。")
    pledge = line_with(result.stdout, "延长末班车时间。")
    assert "◇" in pledge
    assert "S1" in pledge
    assert "1 pledge" in result.stdout
    assert ESCAPE not in result.stdout


def test_verbose_says_why_and_quiet_says_less(letter: Path) -> None:
    plain, verbose, quiet = (run("show", *flag, letter).stdout for flag in ([], ["-v"], ["-q"]))
    assert "cue “下一步" in verbose
    assert "cue “" not in plain
    assert len(quiet.splitlines()) < len(plain.splitlines())
    assert "sentences:" not in quiet


def test_json_is_one_reply_a_line(letter: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("我局正在编制规划。", encoding="utf-8")
    lines = run("show", "--json", letter, other).stdout.splitlines()
    replies = [Reply.from_json(line) for line in lines]
    assert [len(r.pledges) for r in replies] == [1, 0]
    assert replies[0].text == LETTER


def test_html_page_holds_all_letters(letter: Path, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    result = run("show", letter, letter, "--html", page, "--lang", "zh")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "wrote" in result.stderr
    html = page.read_text(encoding="utf-8")
    assert html.count("<article") == 2
    assert "未来承诺" in html


def test_html_never_overwrites_a_letter(letter: Path) -> None:
    before = letter.read_bytes()
    result = run("show", letter, "--html", letter)
    assert result.exit_code == 2
    assert "name another file" in result.stderr
    assert letter.read_bytes() == before


def test_html_that_cannot_be_written_is_told(letter: Path, tmp_path: Path) -> None:
    result = run("show", letter, "--html", tmp_path / "no" / "such" / "out.html")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_standard_input_and_folders_are_read(letter: Path) -> None:
    assert "◇" in run("show", "-", stdin=LETTER.encode("gb18030")).stdout
    (letter.parent / "second.txt").write_text("我局已建成公园3个。", encoding="utf-8")
    assert "second.txt\n1 sentence: " in run("show", letter.parent).stdout


def test_what_stands_beside_the_letter_is_not_counted(tmp_path: Path) -> None:
    pytest.importorskip("selectolax")
    page = tmp_path / "page.html"
    body = "".join(f"<p>{line}</p>" for line in LETTER.splitlines())
    page.write_text(f"<ul><li>网站首页</li><li>政务公开</li></ul><div>{body}</div>", encoding="utf-8")
    beside = sum(s.role is Role.OUTSIDE for s in commitments.load()(commitments.read(page)).sentences)
    shown = run("show", page).stdout
    assert beside
    assert "5 sentences: " in shown
    assert f"{beside} sentence{'s' * (beside > 1)} beside the letter" in shown
    out = tmp_path / "out.html"
    run("show", page, "--html", out)
    assert ">none</span> <b>3</b>" in out.read_text(encoding="utf-8")


def test_given_suggestions_are_the_asks_in_their_order(letter: Path, tmp_path: Path) -> None:
    several = run("show", "--json", "-s", "延长末班车时间", "-s", "增设公交站", letter).stdout
    assert [ask["text"] for ask in json.loads(several)["asks"]] == ["延长末班车时间", "增设公交站"]
    text = tmp_path / "suggestion.txt"
    text.write_text("一、建议增设公交站。\n二、建议延长末班车时间。", encoding="utf-8")
    from_file = run("show", "--json", "--suggestion-file", text, letter).stdout
    assert len(json.loads(from_file)["asks"]) == 2


def test_date_reaches_the_reply(letter: Path) -> None:
    assert json.loads(run("show", "--json", "--date", "2023-06-12", letter).stdout)["date"] == "2023-06-12"


def test_bad_files_are_named_and_the_others_done(letter: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"%PDF-1.7 broken")
    result = run("show", bad, tmp_path / "missing.txt", letter)
    assert result.exit_code == 1
    assert "增设公交站2处。" in result.stdout
    first, second = result.stderr.splitlines()
    assert "bad.pdf: " in first
    assert "missing.txt: " in second


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["show"],
        ["show", "--nonsense", "letter.txt"],
        ["show", "--date", "soon", "letter.txt"],
        ["show", "--lang", "fr", "letter.txt"],
        ["show", "--model", "nonsense", "letter.txt"],
        ["show", "-s", "甲", "--suggestion-file", __file__, "letter.txt"],
        ["explain", "letter.txt"],
        ["explain", "letter.txt", "-n", "0"],
        ["evaluate"],
        ["evaluate", "gold.jsonl", "--model", "nonsense"],
    ],
)
def test_usage_errors_exit_2(args: list[str], letter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(letter.parent)
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output


def pledge_number() -> int:
    reply = commitments.load()(LETTER)
    return reply.sentences.index(reply.pledges[0]) + 1


def test_explain_tells_scorecard_place_and_neighbours(letter: Path) -> None:
    reply = commitments.load("cues")(LETTER)
    result = run("explain", letter, "--sentence", pledge_number(), "--model", "cues")
    assert result.exit_code == 0, result.output
    for words in (
        "pledge 未来承诺",
        f"{reply.pledges[0].evidence[0].rule} cue “下一步",
        "total: pledge",
        "K001 default every sentence",
        "S1",
        "context",
        "增设公交站2处",
    ):
        assert words in result.stdout
    too_far = run("explain", letter, "-n", "99")
    assert too_far.exit_code == 2
    assert f"has {len(reply.sentences)} sentences" in too_far.output


def test_the_scorecard_that_is_shown_adds_up(letter: Path) -> None:
    lines = run("explain", letter, "-n", pledge_number(), "--model", "cues").stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.split() == ["completed", "ongoing", "pledge", "none"])
    end = next(i for i, line in enumerate(lines) if line.endswith("total: pledge"))
    rows = [[float(cell) for cell in line.split()[:4]] for line in lines[at + 1 : end + 1]]
    *summands, totals = rows
    assert len(summands) > 2
    assert [sum(column) for column in zip(*summands, strict=True)] == totals
    assert max(totals) == totals[2]


def test_explain_as_json(letter: Path) -> None:
    told = json.loads(run("explain", letter, "-n", pledge_number(), "--json", "--model", "cues").stdout)
    card = told["scorecard"]
    assert told["number"] == pledge_number()
    assert told["sentence"]["status"] == card["status"] == "pledge"
    assert told["sentence"]["confidence"] == pytest.approx(card["confidence"])
    assert [ask["id"] for ask in told["asks"]] == ["S1"]
    for status, total in card["totals"].items():
        assert sum(row["points"][status] for row in card["summands"]) == total


def test_explain_of_a_trained_model_tells_the_words_that_moved_it(letter: Path) -> None:
    result = run("explain", letter, "-n", pledge_number())
    assert result.exit_code == 0, result.output
    at = result.stdout.index("moved by")
    assert "“下一步”" in result.stdout[at:]
    told = json.loads(run("explain", letter, "-n", pledge_number(), "--json").stdout)
    assert told["scorecard"] is None
    assert told["moved"][0]["points"] > 0


def test_explain_of_a_sentence_that_its_role_settles_shows_no_sum(letter: Path) -> None:
    shown = run("explain", letter, "-n", "1").stdout
    assert "title role" in shown
    assert "scorecard" not in shown
    assert json.loads(run("explain", letter, "-n", "1", "--json").stdout)["scorecard"] is None
    assert "scorecard" not in run("explain", letter, "-n", pledge_number(), "--model", "keywords").stdout


def test_evaluate_shows_figures_beside_the_baselines() -> None:
    gold = Path(__file__).parent.parent / "seeds" / "letters" / "dev.jsonl"
    result = run("evaluate", gold, "--json")
    assert result.exit_code == 0, result.output
    text = json.dumps(json.loads(result.stdout))
    assert "macro_f1" in text
    assert "majority" in text


def test_evaluate_names_a_bad_gold_file_and_measures_the_others(letter: Path) -> None:
    alone = run("evaluate", letter)
    assert alone.exit_code == 1
    assert "letter.txt" in alone.stderr
    assert len(alone.stderr.splitlines()) == 1
    both = run("evaluate", letter, SEED_GOLD, "--json")
    assert both.exit_code == 1
    assert len(both.stderr.splitlines()) == 1
    assert json.loads(both.stdout)["data"][0]["letters"] == 1


def test_evaluate_leaves_letters_out_of_links(tmp_path: Path) -> None:
    [gold] = corpus.load(SEED_GOLD)
    listed = tmp_path / "weak.txt"
    listed.write_text(f"{gold.id}\n\nelsewhere\n", encoding="utf-8")
    for option in (["--no-links", gold.id], ["--no-links-file", listed]):
        report = json.loads(run("evaluate", SEED_GOLD, "--json", *option).stdout)
        assert report["no_links"] == [gold.id]
        assert report["measured"]["figures"]["cues"]["links"]["value"] is None
    misspelt = run("evaluate", SEED_GOLD, "--no-links", "nobody")
    assert misspelt.exit_code == 2
    assert "'nobody'" in misspelt.output


def test_version_and_help() -> None:
    assert run("--version").stdout == f"commitments {commitments.__version__}\n"
    assert "Examples:" in run("show", "--help").stdout


def test_hostile_text_cannot_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "hostile.txt"
    path.write_text("我局已建成\x1b[2J公园\x9b31m3个。\u202e[bold]标题[/bold]", encoding="utf-8")
    for args in (["show", "-v", path], ["explain", path, "-n", "1"]):
        result = run(*args)
        assert not set("\x1b\x9b\u202e") & set(result.output)
    assert "[bold]标题[/bold]" in result.output


@pytest.mark.parametrize(
    "env",
    [{"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "LANG": "C"}, {"PYTHONUTF8": "0", "LC_ALL": "POSIX"}],
)
def test_narrow_encodings_do_not_stop_it(letter: Path, env: dict[str, str]) -> None:
    done = process("show", letter, env=env)
    assert done.returncode == 0, done.stderr
    assert "✓" in line_with(done.stdout.decode("utf-8"), "增设公交站2处。")


def test_marks_are_chinese_where_the_encoding_lacks_the_others(letter: Path) -> None:
    done = process("show", letter, env={"PYTHONIOENCODING": "gbk"})
    assert "已" in line_with(done.stdout.decode("gbk"), "增设公交站2处。").replace("我局已", "")
    as_json = process("show", "--json", letter, env={"PYTHONIOENCODING": "gbk"})
    assert json.loads(as_json.stdout.decode("utf-8"))["text"] == LETTER


def test_a_closed_pipe_is_no_error(letter: Path) -> None:
    many = " ".join([f"'{letter}'"] * 200)
    done = subprocess.run(
        f"'{sys.executable}' -m commitments.cli show {many} | head -n 1",
        shell=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
    assert b"Broken" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of POSIX")
def test_colours_on_a_terminal_unless_no_color(letter: Path) -> None:
    import pty

    def on_terminal(**env: str) -> str:
        base = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
        master, slave = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "commitments.cli", "show", str(letter)],
            stdout=slave,
            env={**base, "TERM": "xterm-256color", **env},
        ):
            os.close(slave)
            out = b""
            try:
                while chunk := os.read(master, 65536):
                    out += chunk
            except OSError:  # Linux says the other end is closed this way
                pass
        os.close(master)
        return out.decode("utf-8")

    assert ESCAPE in on_terminal()
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = on_terminal(**env)
        assert ESCAPE not in plain
        assert "◇" in plain


class Screen(io.StringIO):
    """A terminal of 40 columns."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_long_sentences_wrap_under_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    sentence = "下一步，我局将在人民路、新华路、解放路沿线增设公交站20处（含候车亭），并延长末班车时间。"
    screen = Screen()
    Terminal(screen, env={"NO_COLOR": "1"}).reply(commitments.load()(sentence), quiet=True)
    lines = screen.getvalue().splitlines()
    assert len(lines) == 3
    assert all(cell_len(line) <= 40 for line in lines)
    assert not any(line.strip()[0] in "，。、）" for line in lines)
    start = lines[0].index("下一步")
    assert all(line.startswith(" " * start) for line in lines[1:])
    assert lines[0][start:] + "".join(line.strip() for line in lines[1:]) == sentence


def test_colours_follow_the_environment() -> None:
    reply = commitments.load()(LETTER)
    shown: dict[str, str] = {}
    for env in ({"TERM": "xterm"}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        screen = Screen()
        Terminal(screen, env=env).reply(reply)
        Terminal(screen, env=env).explanation(Explanation(reply, 1))
        shown[next(iter(env.values()))] = screen.getvalue()
    assert ESCAPE in shown["xterm"]
    assert ESCAPE not in shown["1"] + shown["dumb"]
    pipe = io.StringIO()
    Terminal(pipe, env={"FORCE_COLOR": "1"}).reply(reply)
    assert ESCAPE in pipe.getvalue()


def test_rows_of_json_on_standard_input_and_what_is_empty(letter: Path) -> None:
    rows = "\n".join(json.dumps({"text": LETTER}, ensure_ascii=False) for _ in range(2))
    assert run("show", "-", stdin=rows).stdout.count("sentences:") == 2
    several = run("explain", "-", "-n", "1", stdin=rows)
    assert several.exit_code == 2
    assert "--letter -:1" in several.output
    assert "sentence 1 of" in run("explain", "-", "-n", "1", "--letter", "-:2", stdin=rows).stdout
    assert run("explain", "-", "-n", "1", "--letter", "-:3", stdin=rows).exit_code == 2
    empty = run("show", "-", stdin="")
    assert empty.exit_code == 1
    assert empty.stderr == "-: is empty\n"
