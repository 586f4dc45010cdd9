"""Question rows through filter, SQL and join to a durable write, by this project's rivals: the same rows as a pipeline
of `ci/benchmarks/tables` makes. `tables.py make FOLDER ROWS` writes the input; `tables.py polars|datasets FOLDER`
does the work and prints its seconds, `tables.py plain FOLDER` those of a write of our bytes alone; `tables.py same FOLDER`
compares the outputs."""

import os
import pathlib
import shutil
import sys
import time

import polars as pl

TOPICS = 1000
QUERY = "SELECT id, text, topic, level + 1 AS level, CHAR_LENGTH(text) AS letters FROM kept"


def make(folder, rows):
    number = pl.int_range(0, rows, dtype=pl.UInt64, eager=True).alias("id")
    questions = pl.select(number).with_columns(
        text=pl.format("Question {}: if a train leaves at {} and another one {} minutes later, when do they meet, and "
                       "how far from where the first one started?", "id", pl.col("id") * 7919 % 86399, pl.col("id") % 97),
        topic=(pl.col("id") * 31 % TOPICS).cast(pl.Int64),
        level=(pl.col("id") * 17 % 10).cast(pl.Int64),
    )
    questions.write_parquet(folder / "questions.parquet", row_group_size=100_000)
    topic = pl.int_range(0, TOPICS, dtype=pl.Int64, eager=True).alias("topic")
    pl.select(topic).with_columns(name=pl.format("topic number {}", "topic")).write_parquet(folder / "topics.parquet")


def force(path):
    """To the disk, as a durable write does it: the file, then the folder that has its name."""
    for forced in [path, path.parent]:
        handle = os.open(forced, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def with_polars(folder):
    kept = pl.scan_parquet(folder / "questions.parquet").filter(pl.col("level") > 2)
    asked = pl.SQLContext(kept=kept).execute(QUERY)
    joined = asked.join(pl.scan_parquet(folder / "topics.parquet"), on="topic", maintain_order="left")
    joined.sink_parquet(folder / "polars.parquet", compression="zstd", engine="streaming")
    force(folder / "polars.parquet")


def with_datasets(folder):
    import datasets

    datasets.disable_progress_bars()
    load = lambda name: datasets.Dataset.from_parquet(str(folder / name), cache_dir=str(folder / "cache"))
    names = dict(zip(load("topics.parquet")["topic"], load("topics.parquet")["name"]))
    kept = load("questions.parquet").filter(lambda row: row["level"] > 2)
    asked = kept.map(lambda row: {"level": row["level"] + 1, "letters": len(row["text"])})
    joined = asked.map(lambda row: {"name": names[row["topic"]]})
    joined.to_parquet(str(folder / "datasets.parquet"))
    force(folder / "datasets.parquet")


def plain_write(folder):
    """The bytes that the pipeline wrote, once more, to say what the disk itself takes."""
    files = sorted((folder / "run/datasets/out/data").glob("*.parquet"))
    contents = [file.read_bytes() for file in files]
    target = folder / "plain"
    target.mkdir(exist_ok=True)
    start = time.perf_counter()
    for number, content in enumerate(contents):
        path = target / str(number)
        path.write_bytes(content)
        force(path)
    return time.perf_counter() - start


def same(folder):
    read = lambda path: pl.read_parquet(path).select("id", "text", "topic", "level", pl.col("letters").cast(pl.Int64), "name")
    wanted = read(folder / "polars.parquet")
    for path in ["run/datasets/out/data/*.parquet", "datasets.parquet", "distilabel.parquet"]:
        assert read(folder / path).equals(wanted), f"{path} has other rows"
    print(f"All outputs are the same: {wanted.height:,} rows of {wanted.width} columns.")


what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
if what == "make":
    make(folder, int(sys.argv[3]))
elif what == "same":
    same(folder)
elif what == "plain":
    print(plain_write(folder))
else:
    shutil.rmtree(folder / "cache", ignore_errors=True)
    start = time.perf_counter()
    {"polars": with_polars, "datasets": with_datasets}[what](folder)
    print(time.perf_counter() - start)
