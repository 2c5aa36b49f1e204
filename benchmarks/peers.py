"""Runs the doctor over the models that its peers were tried on, and prints its findings beside theirs.

``git clone --bare https://github.com/DeepDiagnosis/ICSE2022 FOLDER``, then
``python -m benchmarks.peers FOLDER [--out FILE.md]``. Nothing of it is kept in this repository. Of the data sets Blob
and Circle it takes every model that its files define unambiguously: those that are named by a hash, as source (all of
them are buggy by AUTOTRAINER's label), and those that are there with their weights and options (all of them normal).
"""

from __future__ import annotations

import argparse
import io
import json
import pickle
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import initcheck

SOURCES = {"Blob": "AUTOTRAINER Model Code/Models_Blob.py", "Circle": "AUTOTRAINER Model Code/Models_Circle.py"}
FILES = {"Blob": "difference threshold/Blob_normal", "Circle": "difference threshold/Circle"}
PUBLISHED = {
    "DeepLocalize": {"Blob": "DeepLocalize Result/myfile_Blob.txt", "Circle": "DeepLocalize Result/Circle.txt"},
    "DeepDiagnosis": {
        "Blob": "DeepDiagnosis Result/Blob_Result.txt",
        "Circle": "DeepDiagnosis Result/Circle_Result.txt",
    },
}
_SCALARS = {("numpy.core.multiarray", "scalar"), ("numpy", "dtype")}
_LINE = re.compile(r"(Blob|Circle)/(normal|repaired|failed)/(\w+_[0-9a-f]{8})[-0-9a-f]*/[ \t]*(.*)")
_DECLINED = "declined: "
HEADINGS = ("model", "published label", *PUBLISHED, "initcheck doctor")


@dataclass(frozen=True)
class PeerModel:
    """One of the models.

    Attributes:
        name: Its data set and the beginning of its name.
        label: ``buggy`` or ``normal``, by AUTOTRAINER.
        build: Builds it anew.
        data: Makes the rows that it was trained on.
        verdicts: A peer's name → what it said; empty where it was satisfied, absent where that is not published.
    """

    name: str
    label: str
    build: Callable[..., Any]
    data: Callable[[], Any]
    verdicts: dict[str, str]


def main() -> None:
    """Examines each model, and prints a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("repository", type=Path, help="a clone of DeepDiagnosis/ICSE2022, bare or not")
    parser.add_argument("--out", type=Path, help="a Markdown file for the tables")
    parser.add_argument("--most", type=int, help="so many models at most")
    chosen = parser.parse_args()
    rows = []
    for model in list(models_of(chosen.repository))[: chosen.most]:
        rows.append((model, findings_of(model)))
        print(model.name, model.label, *rows[-1][1], sep="\t", flush=True)  # noqa: T201 - its output
    text = f"{table_of(rows)}\n{summary_of(rows)}\n"
    print(text)  # noqa: T201 - its output
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")


def models_of(repository: Path) -> Iterator[PeerModel]:
    """The models of that repository that can be rebuilt."""
    published = verdicts_of(repository)
    for kind, file in SOURCES.items():
        source = read(repository, file).decode()
        for name in sorted(set(re.findall(r'"(model_[0-9a-f]{8})"', source))):
            verdicts = published[kind, name]
            yield PeerModel(
                f"{kind} {name}", verdicts["label"], from_source(source, name, kind), data_of(kind), verdicts
            )
    for kind, folder in FILES.items():
        listed = subprocess.run(
            [*git(repository), "ls-tree", "-r", "-z", "--name-only", "HEAD", folder + "/"],
            capture_output=True,
            check=True,
        )
        names = [name for name in listed.stdout.decode().split("\0") if name and "/tmp/" not in name]
        for name in sorted(one for one in names if one.endswith(".h5")):
            place = name.rpartition("/")[0]
            options = next(one for one in names if one.startswith(place) and one.endswith(".pkl"))
            short = place.rpartition("/")[2].partition("-")[0]
            build = from_file(read(repository, name), options_in(read(repository, options)), kind)
            verdicts = published.get((kind, short), {"label": "normal"})
            yield PeerModel(f"{kind} {short}", verdicts["label"], build, data_of(kind), verdicts)


def from_source(source: str, name: str, kind: str) -> Callable[..., Any]:
    """What ``get_model(name)`` builds; its options are not published, and it is trained by SGD."""
    names: dict[str, Any] = {}
    exec(compile(source, name, "exec"), names)  # of the repository that the user named

    def build() -> Any:
        model = names["get_model"](name)
        model.compile("sgd", loss_of(kind))
        return model

    return build


def from_file(content: bytes, options: dict[str, Any], kind: str) -> Callable[..., Any]:
    """What the configuration in a legacy HDF5 file builds, with the optimizer that was published for it."""
    import h5py  # type: ignore[import-untyped]

    with h5py.File(io.BytesIO(content), "r") as file:
        config = json.loads(file.attrs["model_config"])
    for layer in config["config"]["layers"]:
        layer["config"].pop("ragged", None)

    def build(keras: Any) -> Any:
        model = keras.Sequential()
        for layer in config["config"]["layers"]:
            values = dict(layer["config"])
            shape = values.pop("batch_input_shape", None)
            if shape and not model.layers:
                model.add(keras.Input(tuple(shape[1:])))
            if layer["class_name"] == "InputLayer":
                continue
            kind_of_layer = getattr(keras.layers, layer["class_name"])
            model.add(kind_of_layer.from_config({key: modern(value) for key, value in values.items()}))
        optimizer = getattr(keras.optimizers, str(options.get("optimizer", "SGD")))
        rates = {"lr": "learning_rate"}
        given = {rates.get(key, key): float(value) for key, value in (options.get("opt_kwargs") or {}).items()}
        model.compile(optimizer(**{key: value for key, value in given.items() if key != "decay"}), loss_of(kind))
        return model

    return build


def modern(value: Any) -> Any:
    """A value of a layer's configuration without what only Keras 2 knows."""
    if isinstance(value, dict) and "config" in value:
        return {**value, "config": {key: one for key, one in value["config"].items() if key != "dtype"}}
    return value


def loss_of(kind: str) -> str:
    """The loss of that data set."""
    return "categorical_crossentropy" if kind == "Blob" else "binary_crossentropy"


def data_of(kind: str) -> Callable[[], Any]:
    """The rows as AUTOTRAINER makes them (AutoTrainer/data/simplednn.py)."""

    def data() -> Any:
        from sklearn.datasets import make_blobs, make_circles

        if kind == "Blob":
            x, y = make_blobs(n_samples=1000, centers=3, n_features=2, cluster_std=2, random_state=2)
            targets = np.eye(3, dtype="float32")[y]
        else:
            x, y = make_circles(n_samples=1000, noise=0.1, random_state=1)
            targets = y.astype("float32")[:, None]
        return x[:700].astype("float32"), targets[:700]

    return data


def verdicts_of(repository: Path) -> dict[tuple[str, str], dict[str, str]]:
    """What each peer said of each model, and its label."""
    verdicts: dict[tuple[str, str], dict[str, str]] = {}
    for peer, files in PUBLISHED.items():
        for file in files.values():
            for kind, label, name, words in _LINE.findall(read(repository, file).decode()):
                said = verdicts.setdefault((kind, name), {"label": "normal" if label == "normal" else "buggy"})
                said[peer] = words.partition(", terminating")[0].strip()
    return verdicts


def options_in(content: bytes) -> dict[str, Any]:
    """A pickled dict of plain values and NumPy's numbers; anything else in it is refused."""

    class PlainValues(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in _SCALARS:
                return np.dtype if name == "dtype" else _scalar
            raise pickle.UnpicklingError(f"{module}.{name} is no plain value")

    options: dict[str, Any] = PlainValues(io.BytesIO(content)).load()
    return options


def _scalar(kind: Any, content: bytes) -> Any:
    return np.frombuffer(content, kind)[0].item()


def read(repository: Path, file: str) -> bytes:
    """A file of the repository's newest version."""
    return subprocess.run([*git(repository), "show", f"HEAD:{file}"], capture_output=True, check=True).stdout


def git(repository: Path) -> list[str]:
    """The beginning of a command of git there."""
    bare = (repository / "HEAD").exists()
    return ["git", "--git-dir", str(repository if bare else repository / ".git")]


def is_declined(finding: str) -> bool:
    """Whether the doctor could not examine the model."""
    return finding.startswith(_DECLINED)


def findings_of(model: PeerModel) -> list[str]:
    """What the doctor finds, or why it declines."""
    with tempfile.TemporaryDirectory():
        try:
            report = initcheck.doctor(model.build, model.data, fresh_processes=False)
        except initcheck.InitcheckError as error:
            return [f"{_DECLINED}{error}"]
    return list(dict.fromkeys(one.what for one in report.findings))


def table_of(rows: list[tuple[PeerModel, list[str]]]) -> str:
    """A row for each model."""
    lines = [list(HEADINGS), ["---"] * len(HEADINGS)]
    for model, findings in rows:
        said = [model.verdicts.get(peer, "not published") or "nothing" for peer in PUBLISHED]
        lines.append([model.name, model.label, *said, "; ".join(findings) or "nothing"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def summary_of(rows: list[tuple[PeerModel, list[str]]]) -> str:
    """Detections and false alarms of each, over the models for which it published a verdict."""
    lines = [["", "detected, of the buggy", "false alarms, of the normal"], ["---"] * 3]
    for peer in PUBLISHED:
        counts = []
        for label in ("buggy", "normal"):
            said = [bool(one.verdicts[peer]) for one, _ in rows if one.label == label and peer in one.verdicts]
            counts.append(f"{sum(said)} of {len(said)}")
        lines.append([peer, *counts])
    counts = []
    for label in ("buggy", "normal"):
        found = [bool(said) for one, said in rows if one.label == label and not any(map(is_declined, said))]
        counts.append(f"{sum(found)} of {len(found)}")
    lines.append(["initcheck doctor", *counts])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
