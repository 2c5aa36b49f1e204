"""A comparison in words: what changed, since which stage, what became of accuracy, and what was not compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from initcheck.baselines.comparing.classes import Class
from initcheck.baselines.comparing.compare import appeared, lacking_dtypes, lacking_sections
from initcheck.baselines.comparing.comparison import ALL_STAGES, TRAININGS, ComparedCell, Comparison, Section
from initcheck.baselines.records.layer_records import LAYER_STAGES, LayerRecord
from initcheck.baselines.records.step_records import StepsRecord
from initcheck.baselines.records.training_records import Stage

_NAMED = 3  # cells of a kind
_MOST_LAYERS = 12
_TOLD_APART = (Section.ACCURACIES, Section.MODELS)
_STAGED = (*TRAININGS, Section.LAYERS, Section.STEPS, Section.FILES)
SECTIONS = {
    Section.DRAWS: "draws",
    Section.DEFAULTS: "initial weights of layers left to their defaults",
    Section.FANS: "fans of layers",
    Section.LAYERS: "layers alone",
    Section.STEPS: "optimizers, losses and metrics alone",
    Section.FILES: "saved models",
    Section.ORDERS: "orders of fit",
    Section.TRACES: "trainings",
    Section.GIVEN: "trainings from given weights",
    Section.FITS: "trainings in fit's own order",
    Section.ACCURACIES: "accuracies over reseeds",
    Section.MODELS: "models of yours",
}


def describe(comparison: Comparison) -> list[str]:
    """The verdict, a sentence or two each."""
    return [
        _headline(comparison),
        *_models(comparison),
        *_sections(comparison),
        *_layers(comparison),
        *_files(comparison),
        *_order_apart(comparison),
        *_accuracies(comparison),
        *_incomparable(comparison),
    ]


def _headline(comparison: Comparison) -> str:
    verdict = comparison.verdict
    name = verdict.value.upper()
    differing = [cell for cell in comparison.cells if cell.found is verdict]
    if verdict is Class.IDENTICAL:
        return f"{name}: all {len(comparison.cells)} cells that were compared are the same, bit for bit."
    if verdict is Class.WITHIN_TOLERANCE:
        sizes = [cell.size for cell in differing if cell.size]
        most = f"; at most {max(size.ulps for size in sizes):.3g} ulps" if sizes else ""
        return f"{name}: every cell is within rounding error{most}."
    # The first stage that differs, in the order in which one decides the next.
    with_stage = [cell for cell in differing if cell.stage]
    first = min(with_stage, key=lambda cell: ALL_STAGES.index(cell.stage), default=differing[0])
    since = f" since the stage '{first.stage}'" if first.stage else ""
    size = f" by {first.size}" if first.size else ""
    note = f" ({first.note})" if first.note else ""
    return f"{name}{since}: first in {SECTIONS[first.section]}, {first.name}{size}{note}."


def _models(comparison: Comparison) -> Iterator[str]:
    """The user's own models first, each by name: they are what the comparison was made for."""
    for cell in comparison.of(Section.MODELS):
        since = f" since the stage '{cell.stage}'" if cell.stage else ""
        note = f" ({cell.note})" if cell.note else ""
        yield f"Your model {cell.name}: {cell.found.value}{since}{f' by {cell.size}' if cell.size else ''}{note}."


def _sections(comparison: Comparison) -> Iterator[str]:
    for section, words in SECTIONS.items():
        cells = comparison.of(section)
        if cells and section not in _TOLD_APART:
            changed = [cell for cell in cells if cell.found is Class.CHANGED]
            which = f" ({_named(changed)}{_since(changed)})" if changed else ""
            yield f"{words[0].upper()}{words[1:]}: {_counts(cells)}{which}."


def _layers(comparison: Comparison) -> Iterator[str]:
    """The layers that changed, by the first stage that did; and options that only the new ones have."""
    cells = [cell for cell in comparison.of(Section.LAYERS) if not cell.only_in]
    for stage in LAYER_STAGES:
        changed = [cell for cell in cells if cell.stage is stage and cell.found is Class.CHANGED]
        by_layer: dict[str, list[ComparedCell]] = {}
        for cell in changed:
            by_layer.setdefault(comparison.new.layers[cell.key.subject].layer, []).append(cell)
        if by_layer:
            names = list(by_layer)
            shown = ", ".join(f"{name} in {len(by_layer[name])}" for name in names[:_MOST_LAYERS])
            first = by_layer[names[0]][0]
            yield (
                f"Layers changed since '{stage}': {shown}{_more(names, _MOST_LAYERS)}; "
                f"first {first.name}{f' by {first.size}' if first.size else ''}: {first.note}."
            )
    if few := [cell for cell in cells if any(step.by_initializer for step in cell.ladder)]:
        yield (
            f"Judged by what they ask of their initializers, whose draws have one law, and by their fans: initial "
            f"weights of {_count(len(few), 'layer')}, too few to judge a law by themselves."
        )
    added = [
        cell for cell in cells if cell.ladder and cell.ladder[-1].found is Class.IDENTICAL and cell.ladder[-1].note
    ]
    if added:
        first = added[0]
        yield f"New options in {_count(len(added), 'configuration')}: first {first.name}, {first.ladder[-1].note}."


def _files(comparison: Comparison) -> Iterator[str]:
    """The saved models that the new environment takes for others, each by its file."""
    changed = [cell for cell in comparison.of(Section.FILES) if cell.found is Class.CHANGED]
    if changed:
        shown = "; ".join(f"{cell.name} since '{cell.stage}' ({cell.note})" for cell in changed[:_MOST_LAYERS])
        yield f"OLD's files in the new environment: {shown}{_more(changed, _MOST_LAYERS)}."


def _order_apart(comparison: Comparison) -> Iterator[str]:
    """Where ``fit``'s order changed: the rest of the training with the rows in one order."""
    cells = [cell for cell in comparison.of(Section.TRACES) if cell.stage is Stage.BATCH_ORDER]
    if not cells:
        return
    rest = []
    for cell in cells:
        stages = [step.stage for step in cell.ladder]
        later = cell.ladder[stages.index(Stage.BATCH_ORDER) + 1 :]
        beyond = [step for step in later if step.found.rank > Class.WITHIN_TOLERANCE.rank]
        rest.append(f"differ from '{beyond[0].stage}' on" if beyond else "agree within rounding error")
    outcomes = ", ".join(f"{rest.count(kind)} {kind}" for kind in dict.fromkeys(rest))
    yield (
        f"fit took the rows of {_count(len(cells), 'training')} in another order; "
        f"trained with the rows in one order, {outcomes}."
    )
    if fits := [cell for cell in comparison.of(Section.FITS) if cell.stage is Stage.BATCH_ORDER]:
        ends = "; ".join(f"{cell.name} {', '.join(map(str, cell.ends))}" for cell in fits[:_NAMED])
        yield f"In fit's own order: {ends}{_more(fits, _NAMED)}."


def _accuracies(comparison: Comparison) -> Iterator[str]:
    cells = comparison.of(Section.ACCURACIES)
    if not cells:
        if comparison.old.problems or not comparison.of(Section.MODELS):
            yield "Accuracy: not compared; no accuracies were recorded in both."
        return
    equal = [cell for cell in cells if cell.found is Class.IDENTICAL]
    equivalent = [cell for cell in cells if cell.found in (Class.WITHIN_TOLERANCE, Class.SAME_DISTRIBUTION)]
    changed = [cell for cell in cells if cell.found is Class.CHANGED]
    unclear = [cell for cell in cells if cell.found is Class.INCONCLUSIVE]
    parts = [
        f"the same counts in {len(equal)} of {len(cells)} cells" if equal else "",
        f"equivalent within ±{comparison.delta:g} in {len(equivalent)}" if equivalent else "",
        f"changed in {len(changed)} ({_named(changed)})" if changed else "",
        f"too few runs in {len(unclear)} ({_named(unclear)}: {unclear[0].note})" if unclear else "",
    ]
    yield f"Accuracy on the held-out rows: {', '.join(filter(None, parts))}."


def _incomparable(comparison: Comparison) -> Iterator[str]:
    if comparison.refused:
        yield (
            "No claim about bits is made, for the environments differ in "
            f"{'; '.join(map(str, comparison.refused))}. Values, laws and accuracies are judged all the same."
        )
    yield from unlooked_sentences(comparison)
    lone = [cell for cell in comparison.cells if cell.only_in]
    if lone:
        yield f"In one baseline only: {', '.join(str(cell.key) for cell in lone[:6])}{_more(lone, 6)}."


def unlooked_sentences(comparison: Comparison) -> Iterator[str]:
    """What the baselines hold nothing of: the counts of the new framework's public names, and which of them are new."""
    for section, side in lacking_sections(comparison.old, comparison.new).items():
        if section is Section.FILES and comparison.old.files:
            yield "Not looked at: OLD's saved models; record NEW with --files-of OLD."
        else:
            yield f"Not looked at: {SECTIONS[section]}; the {side} baseline holds none. Record it anew."
    both = [comparison.old, comparison.new]
    for dtype, side in lacking_dtypes(*both).items():
        yield f"Not compared: draws in {dtype}; the {side} baseline has none."
    alone: list[dict[str, LayerRecord | StepsRecord]] = [{**one.layers, **one.steps} for one in both]
    refused = [name for name, one in alone[0].items() if one.refused and name in alone[1] and alone[1][name].refused]
    if refused:
        yield f"Not looked at: {', '.join(refused[:_NAMED])}{_more(refused, _NAMED)}, which neither environment runs."
    if news := appeared(*both):
        yield f"Not compared: {', '.join(map(str, news[:_NAMED]))}{_more(news, _NAMED)}, which the old baseline lacks."
    unread = [name for name, file in comparison.old.files.items() if file.own.refused]
    if unread:
        shown = f"{', '.join(unread[:_NAMED])}{_more(unread, _NAMED)}"
        yield f"Not looked at: {shown}, which the old environment does not load."
    old, new = comparison.old.public, comparison.new.public
    if not new:
        yield "Not looked at: unknown; the new baseline does not list the framework's public names."
        return
    counts = [f"{list(names.values()).count(False)} of {len(names)} {kind}" for kind, names in new.items()]
    yield f"Not looked at: {', '.join(counts)}."
    added = {kind: [name for name in names if name not in old[kind]] for kind, names in new.items() if kind in old}
    for kind, names in added.items():
        unrecorded = [name for name in names if not new[kind][name]]
        if unrecorded:
            yield f"New, not looked at: {kind} {', '.join(unrecorded)}."


def _since(cells: Sequence[ComparedCell]) -> str:
    """The first changed stages of trainings, the earliest first."""
    stages = [cell.stage for cell in cells if cell.stage and cell.section in _STAGED]
    kinds = sorted(set(stages), key=ALL_STAGES.index)
    return "".join(f"; {stages.count(stage)} since '{stage}'" for stage in kinds)


def _counts(cells: Sequence[ComparedCell]) -> str:
    counts = {kind: sum(cell.found is kind for cell in cells) for kind in Class}
    return ", ".join(f"{number} {kind.value}" for kind, number in counts.items() if number)


def _named(cells: Sequence[ComparedCell]) -> str:
    return ", ".join(cell.name for cell in cells[:_NAMED]) + _more(cells, _NAMED)


def _more(cells: Sequence[object], shown: int) -> str:
    return f" and {len(cells) - shown} more" if len(cells) > shown else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
