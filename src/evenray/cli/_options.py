"""The options of the line's verbs: each once, with the stage from which on it means something."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Optional

import typer
from rich.markup import escape

from evenray.core.recipe import CHOOSABLE

__all__ = ["options_until"]

DATA, LIGHT, RUN = "The data", "The method", "The machine"


def _option(*names: str, help: str, panel: str = LIGHT) -> Any:
    return typer.Option(*names, help=escape(help), rich_help_panel=panel, show_default=False)


# name of the Recipe's field (or of a setting of the run): (stage that it first concerns, type, option)
OPTIONS: dict[str, tuple[str, Any, Any]] = {
    "output": ("scan", str, _option("--output", "-o", help="The run folder, or its URL (default: the data's name with -run).",
               panel=RUN)),
    "labels": ("scan", str, _option("--labels", help="A CSV or Parquet table of labels, keyed by path, SOPInstanceUID,"
               " StudyInstanceUID or PatientID.", panel=DATA)),
    "patient": ("scan", str, _option("--patient", help="A regular expression that finds the patient in a file's path, such"
                " as '(person[0-9]+)'; groups are joined.", panel=DATA)),
    "value_range": ("scan", str, _option("--value-range", help="LOW,HIGH: the true grey range of 16-bit PNG or TIFF, such as 0,4095.",
               panel=DATA)),
    "positive": ("scan", str, _option("--positive", help="The class that sensitivity is about.", panel=DATA)),
    "exclude": ("audit", str, _option("--exclude", help="A CSV of cases to leave out, as 'evenray audit --fix' proposes it.",
                panel=DATA)),
    "allow": ("compare", list[str], _option("--allow", help="Go on in spite of a finding that makes results void:"
              " leakage_patients, leakage_duplicates. The report says so at its top.", panel=DATA)),
    "fix": ("audit", str, _option("--fix", help="Write a CSV that proposes what to leave out, to be edited and given to"
            " --exclude.", panel=DATA)),
    "fail_on": ("audit", str, _option("--fail-on", help="End with exit code 1 where there is a finding as grave as this: error"
                " or warning.", panel=RUN)),
    "test": ("split", float, _option("--test", help="The share of patients to test on [default: 0.2].", panel=DATA)),
    "validation": ("split", float, _option("--validation", help="The share of patients to validate on [default: 0.15].",
                   panel=DATA)),
    "contrast": ("compare", list[str], _option("--contrast", help="A contrast, such as 'clahe(clip=2)'; give several to have"
                 " them compared.")),
    "balance": ("compare", list[str], _option("--balance", help="A remedy for imbalance, such as oversample; give several to"
                " have them compared.")),
    "weight": ("compare", str, _option("--weight", help="Class weights of the loss, such as sick=0.75,healthy=0.25; short for"
               " --balance 'weighted(...)'.")),
    "network": ("compare", list[str], _option("--network", help="A network, such as vgg16_bn or 'vgg16(head=classical)';"
                " give several to have them compared.")),
    "weights": ("compare", str, _option("--weights", help="A file of trained weights to start from.")),
    "finetune": ("compare", str, _option("--finetune", help="What of trained weights may change: all, last(2) for the last"
                 " two blocks, or frozen for the head alone.")),
    "effort": ("compare", str, _option("--effort", help="quick, standard or thorough: how much training may cost.")),
    "size": ("compare", int, _option("--size", help="The side of the images in pixels, 28 or more.")),
    "epochs": ("compare", int, _option("--epochs", help="Times that training goes through the data.")),
    "batch": ("compare", int, _option("--batch", help="Images a step.")),
    "learning_rate": ("compare", float, _option("--learning-rate", help="The highest step size of AdamW.")),
    "patience": ("train", int, _option("--patience", help="Epochs without a better validation AUPRC after which training stops;"
                 " 0 never stops it.")),
    "folds": ("compare", int, _option("--folds", help="Folds of the comparison.")),
    "seeds": ("compare", int, _option("--seeds", help="Times that the comparison trains every cell, each from another seed"
              " [default: 1].")),
    "metric": ("compare", str, _option("--metric", help="What the comparison ranks by [default: auprc].")),
    "search": ("compare", str, _option("--search", help="grid trains every cell whole, halving stops the weak ones early"
               " [default: auto: halving for large grids].")),
    "imbalance": ("compare", list[str], _option("--imbalance", help="Thin the positive class in the comparison's training"
                  " folds, as 1:50; give several to see what each remedy does as it becomes rare.")),
    "choose": ("compare", list[str], _option("--choose", help="NAME=VALUE: another choice of the plan than its own, for those"
               f" without an option: {', '.join(CHOOSABLE)}.")),
    "flips": ("compare", bool, _option("--flips", help="Mirror training images; only where left and right do not matter.")),
    "scale_jitter": ("train", str, _option("--scale-jitter", help="LOW,HIGH: train on random crops of images at a random"
                     " multiple of --size; the VGG paper's 256 to 512 pixels are 1.14,2.29.")),
    "views": ("evaluate", str, _option("--views", help="How to look at an image: centre, flips, dense, 'multicrop(grid=3)',"
              " 'dense | multicrop'; soft-maxes are averaged.")),
    "threshold": ("evaluate", str, _option("--threshold", help="The rule for the operating point, such as youden or"
                  " 'sensitivity(0.95)'; it is applied on the validation part.")),
    "cost": ("evaluate", str, _option("--cost", help="What it costs to call a case of a class wrongly, such as"
             " sick=500,healthy=1; short for --threshold 'cost(...)'.")),
    "calibration": ("evaluate", str, _option("--calibration", help="temperature, platt, isotonic, beta or none; fitted on the"
                    " validation part [default: temperature].")),
    "prevalence": ("evaluate", str, _option("--prevalence", help="The share of the positive class where the model will be used,"
                   " such as 0.01 (or a=0.9,b=0.1): probabilities, PPV and NPV are given for it.")),
    "layers": ("explain", str, _option("--layers", help="Look into a network in place of a run's decisions: a spec, a model's"
               " file, a run folder, or all for the counts of every network.")),
    "image": ("explain", str, _option("--image", help="An image or a folder of images to show the layers on.")),
    "lang": ("audit", str, _option("--lang", help="The language of the report: en or ko.", panel=RUN)),
    "seed": ("scan", int, _option("--seed", help="The seed of everything random [default: 0].", panel=RUN)),
    "device": ("compare", str, _option("--device", help="auto, cpu, cuda or cuda:1.", panel=RUN)),
    "save_every": ("train", float, _option("--save-every", help="Minutes between checkpoints within an epoch [default: 10].",
                   panel=RUN)),
    "jobs": ("scan", int, _option("--jobs", "-j", help="Processes that read images [default: one a core].", panel=RUN)),
    "engine": ("scan", str, _option("--engine", help="Who reads and prepares images: local, dask or ray [default: local].",
               panel=RUN)),
    "address": ("scan", str, _option("--address", help="The cluster of the engine, such as tcp://host:8786; without one it is"
                " made here.", panel=RUN)),
    "json": ("scan", bool, _option("--json", help="Print one JSON object on standard output.", panel=RUN)),
}  # fmt: skip


ALONE = {"fix": "audit", "fail_on": "audit", "layers": "explain", "image": "explain"}  # options of one verb only


def options_until(stage: str, stages: tuple[str, ...]) -> list[inspect.Parameter]:
    """The options that mean something when the line runs up to `stage`, as keyword parameters that default to None."""
    found = []
    for name, (since, kind, option) in OPTIONS.items():
        if stages.index(since) <= stages.index(stage) and ALONE.get(name, stage) == stage:
            annotation = Annotated[Optional[kind], option]  # type: ignore[valid-type]  # noqa: UP045  (typer reads it)
            found.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation))
    return found
