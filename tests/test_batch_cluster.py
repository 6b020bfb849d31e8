"""Ray and Spark give the rows that one process gives, also when a worker dies or a task fails."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")

from commitments import batch  # noqa: E402
from commitments.batch import AnnotateConfig, RunConfig  # noqa: E402

ROOT = Path(__file__).parent.parent
LETTERS = [json.loads(line) for line in (ROOT / "seeds/letters/dev.jsonl").read_bytes().splitlines()]
CONFIG = AnnotateConfig(model="cues", id="id", text="reply", keep=("id",))


def corpus() -> Any:
    texts = [letter["text"] for letter in LETTERS] * 2
    texts[3] = ""
    return pa.table({"id": [f"r{n:03}" for n in range(len(texts))], "reply": texts})


def by_letter(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["name"], row["sentence"] or 0))


def wanted() -> list[dict[str, Any]]:
    [whole] = corpus().combine_chunks().to_batches()
    return by_letter(batch.annotate(whole, CONFIG).to_pylist())


def file(folder: Path) -> Path:
    path = folder / "in.jsonl"
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in corpus().to_pylist())
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_ray_gives_the_same_rows_although_a_worker_is_killed(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.data")
    import commitments.batch.ray as cluster

    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    try:
        rows = cluster.map(ray.data.from_arrow(corpus()), CONFIG, workers=2, batch_size=8).take_all()
        assert by_letter([dict(row) for row in rows]) == wanted()

        engine = cluster.RayEngine(CONFIG, 2)
        from commitments.batch.inputs import rows as read
        from commitments.batch.inputs import shards

        cut = list(shards(read([str(file(tmp_path))], CONFIG), CONFIG, letters=10))
        pid = ray.get(engine._actors[0].pid.remote())
        for shard in cut[: engine.slots]:
            engine.submit(shard)
        os.kill(pid, signal.SIGKILL)
        done = {engine.next().index for _ in cut[: engine.slots]}
        assert done == set(range(engine.slots))
        engine.close()

        one = tmp_path / "one.jsonl"
        batch.score(file(tmp_path), one, CONFIG, RunConfig(engine="serial", shard_letters=10))
        two = tmp_path / "two.jsonl"
        batch.score(file(tmp_path), two, CONFIG, RunConfig(engine="ray", workers=2, shard_letters=10))
        assert one.read_bytes() == two.read_bytes()
    finally:
        ray.shutdown()


def test_spark_gives_the_same_rows_although_a_task_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = pytest.importorskip("pyspark.sql")
    pytest.importorskip("pandas")
    import sys

    import commitments.batch.spark as cluster

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    session = (
        sql.SparkSession.builder.master("local[2,3]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "8")
        .getOrCreate()
    )
    try:
        frame = session.createDataFrame(corpus().to_pylist(), "id string, reply string").repartition(4)
        rows = [row.asDict() for row in cluster.map(frame, CONFIG).collect()]
        assert by_letter(rows) == wanted()

        marker = str(tmp_path / "failed")

        def fail_once(batches: Any) -> Any:
            if not os.path.exists(marker):  # noqa: PTH110
                open(marker, "w").close()  # noqa: PTH123
                os._exit(1)
            yield from batches

        broken = frame.mapInArrow(fail_once, frame.schema)
        rows = [row.asDict() for row in cluster.map(broken, CONFIG).collect()]
        assert os.path.exists(marker)  # noqa: PTH110
        assert by_letter(rows) == wanted()

        one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
        batch.score(file(tmp_path), one, CONFIG, RunConfig(engine="serial", shard_letters=10))
        batch.score(file(tmp_path), two, CONFIG, RunConfig(engine="spark", workers=2, shard_letters=10))
        assert one.read_bytes() == two.read_bytes()
    finally:
        session.stop()
