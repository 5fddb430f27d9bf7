"""What comes of run folders whose files were changed: every JSON file and table, ten ways and more, through the verbs.

    python tools/tamper_artefacts.py RUN IMAGE [--seed 0] [--each 20]

Every case copies RUN (links, nothing is copied but what is changed), changes one file, and calls the verbs that read it. Each must
end well or with one sentence of an EvenrayError; anything else is a fault, and is printed with its change. Ends with 1 where there
is one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

import evenray as er
from evenray.reporting import page_of

DEEP = 3000
VALUES: list[Any] = [None, 0, -1, 1e308, "x", "", [], {}, [[]], True, "\ud83d\ude00" * 99, {"code": "x", "values": {}}]


Verb = Callable[[Path, Path], object]
VERBS: dict[str, Verb] = {
    "read": lambda run, _: [repr(er.Run(run)), er.Run(run).scores, er.Run(run).predictions, er.Run(run).findings],
    "page": lambda run, _: [page_of(er.Run(run), kind) for kind in ("report", "audit", "compare")],
    "share": lambda run, _: er.share(run, run.with_name("shared")),
    "predict": lambda run, image: er.predict(run, image),
    "model": lambda run, image: er.predict(run / "model.safetensors", image),
    "export": lambda run, _: er.export(run, run.with_name("exported"), format="safetensors"),
    "report": lambda run, _: er.report(run, jobs=1),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--each", type=int, default=20, help="random changes inside each file, beside those of the whole"
    )
    parser.add_argument(
        "--verbs", default=",".join(VERBS), help="report makes again what was changed, and takes the longest"
    )
    asked = parser.parse_args()
    verbs = {name: VERBS[name] for name in asked.verbs.split(",")}
    tally: Counter[str] = Counter()
    for name, change, content in changes(asked.run, random.Random(asked.seed), asked.each):
        for verb, outcome in outcomes(asked.run, name, content, verbs, asked.image):
            tally[outcome.splitlines()[0].split(":")[0]] += 1
            if outcome.startswith("fault"):
                print(f"{name}, {change}: {verb}: {outcome}", flush=True)
    print(dict(tally))
    return 1 if tally["fault"] else 0


def outcomes(run: Path, name: str, content: bytes, verbs: dict[str, Verb], image: Path) -> Iterator[tuple[str, str]]:
    """How each verb ends with a run folder in which one file has another content."""
    for verb, call in verbs.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place, "run")
            shutil.copytree(run, folder, copy_function=os.link)
            (folder / name).unlink()
            (folder / name).write_bytes(content)
            yield verb, _outcome(call, folder, image)


def _outcome(call: Verb, folder: Path, image: Path) -> str:
    try:
        call(folder, image)
    except er.EvenrayError as error:
        return "sentence" if str(error) and "\n" not in str(error) else f"fault: no sentence: {error!r}"
    except BaseException as error:  # what a panic of a library is, too
        if isinstance(error, KeyboardInterrupt):
            raise
        last = traceback.extract_tb(error.__traceback__)
        where = next((at for at in reversed(last) if "evenray" in at.filename), last[-1])
        place = f"{Path(where.filename).name}:{where.lineno}"
        return f"fault: {type(error).__name__}: {(str(error).splitlines() or [''])[0][:120]} ({place})"
    return "done"


def changes(run: Path, rng: random.Random, each: int) -> Iterator[tuple[str, str, bytes]]:
    """(file, what was changed, its new content)."""
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if name.split("/")[0] in ("store", "checkpoints", "export") or path.suffix not in (".json", ".parquet", ".csv"):
            continue
        whole = path.read_bytes()
        half = {
            "truncated": whole[: len(whole) // 2],
            "empty": b"",
            "noise": rng.randbytes(64),
            "not UTF-8": b"\xff" + whole,
        }
        yield from ((name, what, content) for what, content in half.items())
        if path.suffix == ".json":
            yield from ((name, what, content) for what, content in of_json(json.loads(whole), rng, each))
        else:
            table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
            yield from ((name, what, content) for what, content in of_table(table, path.suffix, rng, each))


def of_json(value: Any, rng: random.Random, each: int) -> Iterator[tuple[str, bytes]]:
    for other in VALUES:
        yield f"replaced by {str(other)[:20]!r}", json.dumps(other).encode()
    yield "nested", b"[" * DEEP + b"]" * DEEP
    yield "nested objects", b'{"version":' * DEEP + b"1" + b"}" * DEEP
    places = list(_places(value, ()))
    for place in rng.sample(places, min(each, len(places))):
        for other in rng.sample(VALUES, 2):
            yield f"{'.'.join(map(str, place))} = {str(other)[:20]!r}", json.dumps(_with(value, place, other)).encode()
        yield f"without {'.'.join(map(str, place))}", json.dumps(_with(value, place, _with)).encode()


def _places(value: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*at, key)
        yield from _places(item, (*at, key))


def _with(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    """A copy with another value at a place; without that place where the other value is this function."""
    changed = json.loads(json.dumps(value))
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    if other is _with:
        del inner[place[-1]]
    else:
        inner[place[-1]] = other
    return changed


def of_table(table: pl.DataFrame, suffix: str, rng: random.Random, each: int) -> Iterator[tuple[str, bytes]]:
    def content(changed: pl.DataFrame) -> bytes:
        with tempfile.NamedTemporaryFile(suffix=suffix) as file:
            changed.write_parquet(file.name) if suffix == ".parquet" else changed.write_csv(file.name)
            return Path(file.name).read_bytes()

    yield "no rows", content(table.clear())
    yield "no columns", content(pl.DataFrame())
    yield "one foreign column", content(pl.DataFrame({"x": [1, 2]}))
    yield "every row twice", content(pl.concat([table, table]))
    for name in rng.sample(table.columns, min(each, table.width)):
        yield f"without {name}", content(table.drop(name))
        for other in rng.sample(["x", 7, None, 2.5, True], 2):
            if not (suffix == ".csv" and isinstance(other, list)):
                yield f"{name} = {other!r}", content(table.with_columns(pl.lit(other).alias(name)))
        if suffix == ".parquet":
            yield f"{name} = lists", content(table.with_columns(pl.lit([1, 2]).alias(name)))


if __name__ == "__main__":
    sys.exit(main())
