"""The work of `tables.py` done by distilabel: `distilabel_tables.py FOLDER` prints its seconds."""

import pathlib
import sys
import time

import pyarrow.parquet as parquet
from distilabel.pipeline import Pipeline
from distilabel.steps import GeneratorStep, Step, StepInput

ROWS = 10_000  # of a batch
FOLDER = pathlib.Path(sys.argv[1])
NAMES = {row["topic"]: row["name"] for row in parquet.read_table(FOLDER / "topics.parquet").to_pylist()}


class Read(GeneratorStep):
    outputs = property(lambda self: ["id", "text", "topic", "level"])

    def process(self, offset=0):
        table = parquet.read_table(FOLDER / "questions.parquet")
        for start in range(offset, table.num_rows, ROWS):
            yield table.slice(start, ROWS).to_pylist(), start + ROWS >= table.num_rows


class Keep(Step):
    inputs = property(lambda self: ["level"])

    def process(self, inputs: StepInput):
        yield [row for row in inputs if row["level"] > 2]


class Ask(Step):
    inputs = property(lambda self: ["level", "text"])
    outputs = property(lambda self: ["letters"])

    def process(self, inputs: StepInput):
        yield [{**row, "level": row["level"] + 1, "letters": len(row["text"])} for row in inputs]


class Name(Step):
    inputs = property(lambda self: ["topic"])
    outputs = property(lambda self: ["name"])

    def process(self, inputs: StepInput):
        yield [{**row, "name": NAMES[row["topic"]]} for row in inputs]


if __name__ == "__main__":
    start = time.perf_counter()
    with Pipeline(name="tables", cache_dir=FOLDER / "cache") as pipeline:
        Read(batch_size=ROWS) >> Keep(input_batch_size=ROWS) >> Ask(input_batch_size=ROWS) >> Name(input_batch_size=ROWS)
    made = pipeline.run(use_cache=False)
    made["default"]["train"].to_parquet(str(FOLDER / "distilabel.parquet"))
    print(time.perf_counter() - start)
