"""The loop beside a real Orthanc: every study answered once, whatever dies, and nothing said of patients."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom.dataset import Dataset

from evenray.core.artefacts import file_digest
from evenray.core.errors import DataError
from evenray.images.writers.dicom_sr import class_code, probability_code
from evenray.learning.predict.files import Answers, Item
from evenray.learning.predict.files import predict as predict_items
from evenray.scale.archive import Archive, Unreachable
from evenray.serve.application import application
from evenray.serve.journal import JsonLines
from evenray.serve.limits import Limits
from evenray.serve.models import Loaded, Models
from evenray.serve.pacs.loop import Pacs
from evenray.serve.pacs.routes import router
from evenray.serve.pacs.rules import Rules
from evenray.serve.rest import rest_application
from evenray.serve.running import in_background
from evenray.serve.security import Access
from evenray.serve.service import Service
from evenray.verbs.predict import predict
from tests.scale.orthanc import free_port
from tests.serve.pacs.conftest import PATIENT, Hospital

Services = dict[str, Service]
Made = Callable[..., Pacs]
OF_STUDY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "AccessionNumber",
)


def answered(beside: Pacs, service: Service) -> None:
    """Work until nothing is due."""
    while beside.one(service):
        pass


def in_process(loaded: Loaded, files: Sequence[Path]) -> Answers:
    """What `predict` says, decoded in this process."""
    return predict_items(loaded.model, [Item(str(path), path) for path in files])


def items(container: Dataset) -> Iterator[Dataset]:
    for item in container.get("ContentSequence", []):
        yield item
        yield from items(item)


def groups(report: Dataset) -> list[Dataset]:
    return [item for item in items(report) if item.ConceptNameCodeSequence[0].CodeValue == "125007"]


def told(group: Dataset) -> dict[str, Any]:
    """The values of a measurement group by the meaning of their names."""
    found = dict[str, Any]()
    for item in group.ContentSequence:
        name = item.ConceptNameCodeSequence[0].CodeMeaning
        if item.ValueType == "NUM":
            found[name] = item.MeasuredValueSequence[0].FloatingPointValue
        elif item.ValueType == "CODE":
            found[name] = item.ConceptCodeSequence[0].CodeMeaning
        elif item.ValueType == "IMAGE":
            found[name] = item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        elif item.ValueType == "TEXT":
            found[name] = f"{found.get(name, '')} {item.TextValue}".strip() if isinstance(item.TextValue, str) else (
                f"{found.get(name, '')} {''.join(item.TextValue)}".strip()
            )  # fmt: skip
    return found


def errors_of(dataset: Dataset, folder: Path) -> list[str]:
    dataset.save_as(folder / "one.dcm", enforce_file_format=True)
    said = subprocess.run(["dciodvfy", folder / "one.dcm"], capture_output=True, text=True, check=False)
    return [line for line in (said.stdout + said.stderr).splitlines() if line.startswith("Error")]


@pytest.mark.parametrize(
    ("task", "side", "expected"),
    [("finished", {"ImageLaterality": "L", "BodyPartExamined": "HAND"}, [1, 2, 0]), ("segment", {}, [1, 2, 2])],
)
def test_a_study_gets_valid_results_that_say_what_predict_says(
    task: str,
    side: dict[str, str],
    expected: list[int],
    hospital: Hospital,
    services: Services,
    pacs: Made,
    tmp_path: Path,
) -> None:
    beside, study = pacs(), hospital.send(2, **side)
    images = {str(one.SOPInstanceUID): one for one in hospital.objects(study)}
    beside.ledger.ask(study)
    answered(beside, services[task])
    found = hospital.answers(study)
    assert found[0] == 1
    assert found[1] >= 2, "an overlay of each image"
    assert found[2] == expected[2]
    everything = hospital.objects(study)
    for one in everything:
        assert [one.get(keyword) for keyword in OF_STUDY] == [
            images[next(iter(images))].get(keyword) for keyword in OF_STUDY
        ]
    results = [one for one in everything if str(one.SOPInstanceUID) not in images]
    assert len({one.SOPInstanceUID for one in everything}) == len(everything)
    [report] = hospital.objects(study, "SR")
    for number, one in enumerate(images.values()):
        one.save_as(tmp_path / f"{number}.dcm", enforce_file_format=True)
    loaded = services[task].models.get(None)
    files = [tmp_path / "0.dcm", tmp_path / "1.dcm"]
    truth = predict(loaded.source, files, device="cpu", jobs=1) if task == "finished" else in_process(loaded, files)
    rows = dict(zip(images, truth.table.to_dicts(), strict=True))
    seen = [told(group) for group in groups(report)]
    weights = file_digest(loaded.source / "model.safetensors")
    assert all(weights in group["Algorithm Parameters"] and group["Algorithm Version"] for group in seen)
    assert all(group["Use"] == "Research use only, not a medical device" for group in seen)
    if task == "finished":
        for group in seen:
            row = rows[group["Source of Measurement"]]
            assert [group[f"Probability of {name}"] for name in ("0", "1")] == [row["p_0"], row["p_1"]]
            operating_point = group["Operating point: least probability that is called"]
            assert (group["Finding"], operating_point) == (row["decision"], row["threshold"])
            assert group["Laterality"] == "Left"
        assert {one.get("Laterality") for one in hospital.objects(study, "OT")} == {"L"}
    else:
        called = sum(group.get("Pixels called", 0) for group in seen)
        assert called == sum(row[f"pixels_{name}"] for row in rows.values() for name in ("mass", "nodule")) > 0
        drawn = hospital.objects(study, "SEG")
        assert sum(int(one.pixel_array.sum()) for one in drawn) == called
    if shutil.which("dciodvfy") is None:
        pytest.skip("no dciodvfy on this machine: apt-get install dicom3tools")
    assert [error for one in results for error in errors_of(one, tmp_path)] == []


@pytest.mark.parametrize("task", ["tag", "detect"])
def test_findings_and_boxes_are_told_each_with_its_probability(
    task: str, hospital: Hospital, services: Services, pacs: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evenray.serve.pacs.results.BOXES", 3)
    beside, study = pacs(), hospital.send()
    [image] = hospital.objects(study)
    image.save_as(tmp_path / "0.dcm", enforce_file_format=True)
    beside.ledger.ask(study)
    answered(beside, services[task])
    found = in_process(services[task].models.get(None), [tmp_path / "0.dcm"])
    row = found.table.row(0, named=True)
    [report] = hospital.objects(study, "SR")
    seen = {group["Finding"]: group for one in groups(report)[:2] for group in [told(one)]}
    for name in ("mass", "nodule"):
        group = seen[name]
        if task == "tag":
            assert group[f"Probability of {name}"] == row[f"p_{name}"]
            assert group["Decision at the operating point"] == row[f"decision_{name}"].capitalize()
        else:
            assert group["Boxes called"] == row[f"boxes_{name}"]
    if task == "detect":
        assert found.boxes is not None
        surest = found.boxes.boxes.sort("score", descending=True).rows(named=True)[:3]
        drawn = [next(item for item in items(group) if item.ValueType == "SCOORD") for group in groups(report)[2:]]
        assert [list(one.GraphicData[:2]) + list(one.GraphicData[4:6]) for one in drawn] == [
            pytest.approx([box[edge] for edge in ("x0", "y0", "x1", "y1")], abs=1e-4) for box in surest
        ]
    if shutil.which("dciodvfy") is not None:
        assert errors_of(report, tmp_path) == []


class Killed(BaseException):
    """The process is gone: nothing that was to come comes."""


def killed_at(step: int, patch: pytest.MonkeyPatch, beside: Pacs) -> None:
    """Let the process die before its `step`-th look at the PACS, store, or note."""
    left = step

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def own(*given: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return function(*given, **more)

        return own

    for owner, names in ((beside.archive, ("headers", "fetch", "has", "store")), (beside.ledger, ("done",))):
        for name in names:
            patch.setattr(owner, name, dying(getattr(owner, name)))


def test_killed_at_every_step_and_started_again_answers_each_study_once(
    hospital: Hospital, services: Services, pacs: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, studies = services["segment"], list[str]()
    finished = False
    while not finished:
        beside, study = pacs(), hospital.send()
        studies.append(study)
        beside.ledger.ask(study)
        with monkeypatch.context() as patch:
            killed_at(len(studies), patch, beside)
            try:
                answered(beside, service)
                finished = True  # it has fewer steps
            except Killed:
                pass
        again = pacs()
        answered(again, service)
        assert again.ledger.counts() == {"answered": len(studies)}
    assert len(studies) == 9  # headers, fetch, SEG, SC of two classes, has, SR and done, and the one that lived
    assert {tuple(hospital.answers(study)) for study in studies} == {(1, 2, 1)}


def test_two_replicas_at_once_answer_no_study_twice(hospital: Hospital, services: Services, pacs: Made) -> None:
    studies = [hospital.send() for _ in range(6)]
    replicas = [pacs("one"), pacs("another")]  # two machines: each has a memory of its own
    for replica in replicas:
        for study in studies:
            replica.ledger.ask(study)
    begin = threading.Barrier(2)

    def work(replica: Pacs) -> None:
        begin.wait()
        answered(replica, services["finished"])

    threads = [threading.Thread(target=work, args=(replica,)) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [hospital.answers(study) for study in studies] == [[1, 1, 0]] * len(studies)
    for replica in replicas:
        assert replica.ledger.counts() == {"answered": len(studies)}


def test_what_comes_is_answered_once_and_what_was_there_is_left_alone(
    hospital: Hospital,
    services: Services,
    pacs: Made,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logging.getLogger("evenray.serve").propagate = True
    caplog.set_level(logging.INFO)
    old, end = hospital.send(), time.monotonic() + 60
    while not hospital.stable(old):
        time.sleep(0.1)
    beside, service = pacs(rules=Rules(modality=("CR",), body_part=("CHEST",))), services["finished"]
    beside.look()
    new, hand = hospital.send(), hospital.send(BodyPartExamined="HAND")
    while not (hospital.stable(new) and hospital.stable(hand)):
        time.sleep(0.1)
    beside.look()
    answered(beside, service)
    assert [hospital.answers(study)[0] for study in (old, new, hand)] == [0, 1, 0]
    count = len(hospital.objects(new))
    position = beside.ledger.position
    while beside.ledger.position == position and time.monotonic() < end:  # its results make the study stable again
        time.sleep(0.2)
        beside.look()
    answered(beside, service)
    assert len(hospital.objects(new)) == count
    lines = " ".join(JsonLines().format(record) for record in caplog.records) + caplog.text
    assert '"event": "study answered"' in lines
    assert "no image for the model" in lines
    for secret in (*PATIENT.values(), *["Kim^Minsu", "金^民秀", "19600102", "HOSP"], old, new, hand):
        assert secret not in lines


def test_failures_are_tried_again_and_end_in_the_list_but_a_lost_pacs_is_waited_for(
    hospital: Hospital, services: Services, pacs: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, study, service = pacs(), hospital.send(), services["finished"]
    beside.ledger.ask(study)

    def refused(path: Path) -> None:
        raise DataError("The PACS refused the request with status 500.")

    def lost(path: Path) -> None:
        raise Unreachable("ConnectionError")

    with monkeypatch.context() as patch:
        patch.setattr(beside.archive, "store", lost)
        for _ in range(5):
            with pytest.raises(Unreachable):
                beside.one(service)
        assert beside.ledger.counts() == {"waiting": 1}
        patch.setattr(beside.archive, "store", refused)
        answered(beside, service)
    [failure] = beside.ledger.failures()
    assert (failure.attempts, failure.reason) == (3, "The PACS refused the request with status 500.")
    assert study in (tmp_path / "state" / "failures.csv").read_text()
    app = application("test", [router])
    app.state.pacs = beside
    with in_background(app) as url, httpx.Client(base_url=url) as client:
        standing = client.get("/v1/pacs").json()
        assert (standing["failed"], standing["failures"][0]["study"], standing["reachable"]) == (
            1,
            failure.number,
            None,
        )
        assert study not in json.dumps(standing)
        assert client.post("/v1/pacs/studies", json={"study": "../1"}).status_code == 422
        again = client.post("/v1/pacs/studies", json={"study": study})
        assert (again.status_code, again.json()) == (202, {"study": failure.number, "state": "waiting"})
        answered(beside, service)
        assert hospital.answers(study) == [1, 1, 0]
        assert client.post("/v1/pacs/studies", json={"study": study}).json()["state"] == "answered"


def test_a_study_that_is_gone_or_has_only_broken_images(hospital: Hospital, services: Services, pacs: Made) -> None:
    beside, broken = pacs(), hospital.send(PixelData=b"\0" * 10)
    beside.ledger.ask("1.2.3.4")
    beside.ledger.ask(broken)
    answered(beside, services["finished"])
    assert beside.ledger.counts() == {"nothing": 1, "failed": 1}
    assert "pixel" in beside.ledger.failures()[0].reason


def test_the_loop_outlives_a_pacs_that_is_away(services: Services, pacs: Made, hospital: Hospital) -> None:
    beside = pacs(every=0.05)
    there, beside.archive = beside.archive, Archive(f"dicomweb://127.0.0.1:{free_port()}/dicom-web")
    thread = threading.Thread(target=beside.run, args=(services["finished"],))
    thread.start()
    while beside.reachable is None:
        time.sleep(0.01)
    assert beside.reachable is False
    beside.archive = there
    study = hospital.send()
    beside.ledger.ask(study)
    beside.woken.set()
    end = time.monotonic() + 30
    while not beside.ledger.counts().get("answered") and time.monotonic() < end:
        time.sleep(0.05)
        beside.woken.set()
    beside.stopping.set()
    beside.woken.set()
    thread.join()
    assert hospital.answers(study) == [1, 1, 0]


def test_the_service_answers_a_study_that_the_webhook_tells_of(
    hospital: Hospital, sources: dict[str, str], pacs: Made
) -> None:
    beside, study = pacs(every=0), hospital.send()
    service = Service(Models([sources["finished"]], "cpu"), jobs=1)
    with in_background(rest_application(service, Access(), Limits(), beside)) as url:
        assert httpx.post(f"{url}/v1/pacs/studies", json={"study": study}).status_code == 202
        end = time.monotonic() + 60
        while httpx.get(f"{url}/v1/pacs").json()["answered"] == 0 and time.monotonic() < end:
            time.sleep(0.1)
        assert 'evenray_pacs_studies_total{outcome="answered"}' in httpx.get(f"{url}/metrics").text
        assert "/v1/pacs/studies" in httpx.get(f"{url}/docs").text
    assert hospital.answers(study) == [1, 1, 0]


def test_codes_are_the_same_for_the_same_class_and_fit() -> None:
    for name in ("결절", "a" * 80, "left\\right", "x\ny"):
        for code in (class_code(name), probability_code(name)):
            assert len(code.value) <= 16
            assert len(code.meaning) <= 64
            assert "\\" not in code.meaning
            assert code.meaning.isprintable()
    assert class_code("a").value != class_code("b").value
    assert class_code("a").scheme_designator == "99EVENRAY"
