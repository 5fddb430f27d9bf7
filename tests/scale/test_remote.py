"""URLs: inputs through a cache that notices changes, runs that go on from anywhere, no secret in any of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from evenray.core.artefacts import RunFolder, atomic
from evenray.core.errors import DataError, UsageError
from evenray.core.meter import Cost
from evenray.scale import Mirror, RemoteFolder, local, remote, sent

SECRET = "sesame-9f3c"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket of a local server that speaks S3."""
    pytest.importorskip("s3fs", reason="needs the extra 'scale'")
    server = pytest.importorskip("moto.moto_server.threaded_moto_server", reason="needs moto")
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "evenray")
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        # A worker may come back to this module: moto keeps its buckets as long as the process lives.
        fsspec.filesystem("s3").makedirs("bucket", exist_ok=True)
        yield "s3://bucket"
    fsspec.filesystem("s3").clear_instance_cache()
    running.stop()


@pytest.fixture
def memory() -> Iterator[str]:
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield "memory://bucket"
    system.store.clear()


@pytest.fixture(params=["memory", "s3"])
def base(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return f"{found}/{request.node.name.split('[')[0]}"


def put(url: str, content: bytes) -> None:
    with fsspec.open(url, "wb") as file:
        file.write(content)


def written(folder: RunFolder, name: str, text: str) -> None:
    with atomic(folder / name) as path:
        path.write_text(text)


def test_inputs_follow_what_changes_at_the_url(base: str) -> None:
    for name in ("sick/a.png", "well/b.png"):
        put(f"{base}/{name}", name.encode())
    folder = local(base)
    assert (folder / "sick/a.png").read_bytes() == b"sick/a.png"
    before = (folder / "sick/a.png").stat()
    put(f"{base}/well/b.png", b"another picture")
    put(f"{base}/well/c.png", b"new")
    assert local(base) == folder
    assert (folder / "well/b.png").read_bytes() == b"another picture"
    assert (folder / "well/c.png").exists()
    after = (folder / "sick/a.png").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)  # not fetched again
    fsspec.core.url_to_fs(base)[0].rm_file(fsspec.core.url_to_fs(f"{base}/well/c.png")[1])
    local(base)
    assert not (folder / "well/c.png").exists()


def test_a_copy_looks_alike_on_every_machine(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(f"{base}/a.png", b"picture")
    one = (local(base) / "a.png").stat()
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "elsewhere"))
    other = (local(base) / "a.png").stat()
    assert one.st_mtime_ns == other.st_mtime_ns


def test_of_a_table_only_the_files_that_it_names(base: str) -> None:
    put(f"{base}/cases.csv", b"path,label\nscans/a.png,sick\nscans/b.png,well\n")
    for name in "abc":
        put(f"{base}/scans/{name}.png", name.encode())
    table = local(f"{base}/cases.csv")
    assert table.name == "cases.csv"
    assert sorted(p.name for p in (table.parent / "scans").iterdir()) == ["a.png", "b.png"]


def test_a_run_folder_goes_on_from_another_machine(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RemoteFolder(f"{base}/run")
    written(run, "cases.json", "[1, 2]")
    (run / "store").mkdir()
    (run / "store" / "shard.npy").write_bytes(b"large")
    run.finish("scan", "settings", {"source": "stamp"}, None, ["cases.json"], Cost(1.0))
    names = set(Mirror(f"{base}/run").there())
    assert names == {"cases.json", "provenance.json"}
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "elsewhere"))
    other = RemoteFolder(f"{base}/run")
    assert other.path != run.path
    assert other.fresh("scan", "settings", {"source": "stamp"}, None)
    (other / "cases.json").unlink()
    other.close()
    assert "cases.json" not in Mirror(f"{base}/run").there()
    run.done.set()


def test_work_that_was_not_published_yet_is_kept(base: str) -> None:
    run = RemoteFolder(f"{base}/run")
    written(run, "a.json", "1")
    run.close()
    written(run, "a.json", "2")  # and killed
    again = RemoteFolder(f"{base}/run")
    assert (again / "a.json").read_text() == "2"
    again.close()
    with fsspec.open(f"{base}/run/a.json") as file:
        assert json.load(file) == 2


def test_of_many_processes_the_first_publishes(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    other = RemoteFolder(f"{memory}/run")
    written(other, "a.json", "1")
    other.close()
    assert not Mirror(f"{memory}/run").there()


def test_the_ledger_goes_last(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in: list[str] = []
    monkeypatch.setattr(remote, "_put", lambda system, path, at, url: put_in.append(path.name))
    run = RemoteFolder(f"{memory}/run")
    for name in ("zebra.json", "a.json"):
        written(run, name, "1")
    run.finish("scan", "settings", {}, None, ["a.json"], Cost(1.0))
    run.done.set()
    assert put_in == ["a.json", "zebra.json", "provenance.json"]


@pytest.mark.parametrize("url", ["memory://nowhere/x", "file:///nowhere/x"])
def test_what_is_not_there(url: str) -> None:
    with pytest.raises(DataError, match="There is no"):
        local(url)


@pytest.mark.parametrize("url", [f"ftp://me:{SECRET}@host/scans", f"https://host/a.npz?X-Amz-Signature={SECRET}"])
def test_a_secret_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="leave them out") as caught:
        local(url)
    assert SECRET not in str(caught.value)


def test_a_storage_nobody_knows() -> None:
    with pytest.raises(UsageError, match="There is no storage 'nosuch://'"):
        local("nosuch://a/b")


def test_no_word_of_the_storage_is_passed_on(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*about: Any, **more: Any) -> Any:
        raise PermissionError(f"the key {SECRET} is not allowed")

    put(f"{memory}/a/b.png", b"x")
    monkeypatch.setattr(type(fsspec.filesystem("memory")), "get_file", refuse)
    with pytest.raises(DataError, match="PermissionError") as caught:
        local(f"{memory}/a")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_name_that_leads_out_is_not_followed(memory: str, tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    with system.open("/bucket/evil/a.png", "wb") as file:
        file.write(b"fine")
    mirror = Mirror(f"{memory}/evil")
    monkey = {"/bucket/evil/a.png": {"size": 4, "created": 0}, "/bucket/evil/../../out.png": {"size": 4, "created": 0}}
    mirror.system = type("System", (), {"find": lambda *a, **k: monkey, "invalidate_cache": lambda *a: None})()
    assert list(mirror.there()) == ["a.png"]


def test_one_file_to_a_url(base: str, tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text("a,b\n")
    sent(tmp_path / "answers.csv", f"{base}/out/answers.csv")
    with fsspec.open(f"{base}/out/answers.csv") as file:
        assert file.read() == b"a,b\n"


def test_the_whole_line_from_url_to_url(
    s3: str, tiny_archive: Path, tiny_recipe: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evenray.core.recipe import Recipe
    from evenray.verbs.run import run as run_all

    fsspec.filesystem("s3").put_file(str(tiny_archive), f"{s3[5:]}/data/tiny.npz")
    recipe = Recipe(**{**tiny_recipe, "contrast": "none", "epochs": 1})
    run = run_all(f"{s3}/data/tiny.npz", recipe, f"{s3}/runs/one", jobs=1)
    names = set(Mirror(f"{s3}/runs/one").there())
    assert {"model.safetensors", "scores.json", "report.html", "predictions.parquet", "provenance.json"} <= names
    for path in run.path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()
    assert json.loads((run.path / "recipe.json").read_text())["data"] == f"{s3}/data/tiny.npz"
    # Another machine takes it up: nothing is done again.
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "elsewhere"))
    stages = dict(run.ledger.stages)
    again = run_all(f"{s3}/data/tiny.npz", recipe, f"{s3}/runs/one", jobs=1)
    assert again.path != run.path
    assert again.ledger.stages == stages
    shutil.rmtree(os.environ["EVENRAY_CACHE"])
