"""Records of targets as their processes would write them."""

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.laws import VarianceScaled
from initcheck.matrix.target_records import CheckFacts, JudgedCell, OfferedRow, SubjectKind, TargetRecord, law_key
from initcheck.records import Status

DOCS = "https://example.org/checks.md"
CHECKS = {
    code: CheckFacts(title=title, family=family, url=f"{DOCS}#{code.lower()}", detects=detects)
    for code, title, family, detects in (
        ("LAW02", "Draws have the documented mean.", "laws", "a mean off by 0.017 σ"),
        ("LAW03", "Draws have the documented standard deviation.", "laws", "1.2 %"),
        ("LAW11", "Draws exist in half precision.", "laws", ""),
        ("LAW28", "Layers have the documented default weights.", "laws", "5 %"),
        ("SEED13", "Seeds do not alias.", "seeds", ""),
    )
}
KINDS = {
    "LAW02": SubjectKind.INITIALIZER,
    "LAW03": SubjectKind.INITIALIZER,
    "LAW11": SubjectKind.OTHER,
    "LAW28": SubjectKind.LAYER,
    "SEED13": SubjectKind.OTHER,
}
UNCUT = VarianceScaled(2.0, "fan_in", "normal")


def offered(name, law=None, *, like=""):
    """A row with that law; by default the law of the catalogue's row of that name."""
    law = law or INITIALIZERS[like or name].law
    return OfferedRow(name=name, law=str(law), law_key=law_key(law), source=f"the page of {name}", like=like)


def cell(check, subject, status=Status.PASS, **facts):
    """A verdict."""
    facts = {"measured": f"{subject} by {check}", **facts}
    return JudgedCell(check=check, subject=subject, kind=KINDS[check], status=status, **facts)


def judged(target, rows, cells):
    """The record of a target; the checks are those of its cells."""
    settings = {"target": target, "torch": "2.13.0+cpu (torch-nightly)", "numpy": "2.4.6"}
    checks = {one.check: CHECKS[one.check] for one in cells}
    return TargetRecord(
        target=target,
        settings=settings,
        packages=("torch", "numpy"),
        seed=7,
        seconds=1.5,
        rows=tuple(rows),
        checks=checks,
        cells=tuple(cells),
    )


def keras(target="keras:tensorflow", *more):
    """Keras, whose he_normal holds."""
    rows = [offered("he_normal", like="he_normal")]
    return judged(target, rows, [cell("LAW02", "he_normal"), cell("LAW03", "he_normal"), cell("SEED13", "2^32"), *more])


def torch(*more, **of_mean):
    """torch, whose kaiming_normal_ is another law; by default it keeps it."""
    rows = [offered("kaiming_normal_", UNCUT, like="he_normal")]
    return judged("torch", rows, [cell("LAW02", "kaiming_normal_", **of_mean), *more])
