"""The census: what the checks look at, beside all public names of the installed framework.

A name is looked at where its draws, weights, outputs or steps are compared with what is documented. Where only its
configuration is tested it counts as not looked at.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from initcheck.catalog.cases import computations, options, saved_cases
from initcheck.catalog.cases.initializer_strings import class_name
from initcheck.catalog.cases.loss_cases import LOSS_CASES
from initcheck.catalog.cases.metric_cases import METRIC_CASES
from initcheck.catalog.cases.variants import FIXED_VARIANTS, ORTHOGONAL_VARIANTS, RANDOM_VARIANTS
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.layers import LAYERS
from initcheck.catalog.layers.kind import Trait
from initcheck.catalog.layers.traits.computing import EqualUnits, FormulaCase, LayerOptions, Outputs, TrainingRole
from initcheck.catalog.layers.traits.noises import OF_NOISE
from initcheck.catalog.layers.traits.weights import OF_WEIGHTS, InitialMatrix, SavedInitializers
from initcheck.catalog.layers.under_masks import MASKED
from initcheck.catalog.optimizers import OPTIMIZERS
from initcheck.catalog.unlooked import REASONS
from initcheck.checks.laws.random_functions import CASES
from initcheck.checks.laws.weight_arguments import arguments_treated
from initcheck.evidence.composition.weight_rules import CONSTRAINTS, REGULARIZERS, WINDOWS
from initcheck.evidence.steps.backed_up_trainings import KEEPING
from initcheck.evidence.steps.called_hooks import REPORTING
from initcheck.evidence.steps.metric_rules import SUMMED
from initcheck.evidence.steps.optimizer_options import COMMON_OPTIONS
from initcheck.evidence.steps.several_optimizers import WRAPPERS
from initcheck.evidence.steps.stopped_trainings import STOPPING
from initcheck.frameworks.public_names import KINDS, PublicName, public_names
from initcheck.oracle.activation_formulas import CASES as ACTIVATION_CASES

CONFIGURATION = "configuration"
_ASPECTS: Mapping[type[Trait], str] = {
    **dict.fromkeys((*OF_WEIGHTS, InitialMatrix), "initial weights"),
    **dict.fromkeys(OF_NOISE, "noise"),
    SavedInitializers: CONFIGURATION,
    LayerOptions: CONFIGURATION,
    FormulaCase: "formula",
    Outputs: "outputs",
    EqualUnits: "symmetry",
    TrainingRole: "training",
}
_Looks = Iterator[tuple[str, str, Iterable[str]]]  # name, aspect, arguments that are varied


@dataclass(frozen=True)
class Entry:
    """A public name, and what the checks look at of it.

    Attributes:
        public: The name with its arguments.
        aspects: What some check looks at; empty where none does.
        varied: The arguments that some check gives a value, of those that the framework has.
        reason: Why nothing, or only its configuration, is looked at; empty where more is.
    """

    public: PublicName
    aspects: frozenset[str]
    varied: frozenset[str]
    reason: str

    @property
    def looked_at(self) -> bool:
        """Whether more than its configuration is looked at."""
        return bool(self.aspects - {CONFIGURATION})

    @property
    def words(self) -> str:
        """The aspects, and the reason why there are no more."""
        return ", ".join(filter(None, (*sorted(self.aspects), self.reason)))


@functools.cache
def take_census() -> tuple[Entry, ...]:
    """The installed framework's public names, each with what is looked at."""
    return tuple(map(_entry, public_names()))


def summary(entries: Iterable[Entry]) -> str:
    """How many names of each kind are looked at: ``layers 56 of 142, losses 5 of 22, …``."""
    counts = {kind: [one.looked_at for one in entries if one.public.kind == kind] for kind in KINDS}
    return ", ".join(f"{kind} {sum(looked)} of {len(looked)}" for kind, looked in counts.items() if looked)


def _entry(public: PublicName) -> Entry:
    aspects, varied = _looks()[public.kind].get(public.name, (frozenset(), frozenset()))
    entry = Entry(public, aspects, varied & set(public.arguments), _reason(public))
    return Entry(public, aspects, entry.varied, "") if entry.looked_at else entry


def _reason(public: PublicName) -> str:
    if public.kind == "layers":
        row = LAYERS.get(public.name)
        return row.reason_without(FormulaCase) if row else ""
    return next((reason for reason, names in REASONS.get(public.kind, {}).items() if public.name in names), "")


@functools.cache
def _looks() -> Mapping[str, Mapping[str, tuple[frozenset[str], frozenset[str]]]]:
    return {kind: _joined(_TABLES[kind]()) if kind in _TABLES else {} for kind in KINDS}


def _joined(looks: _Looks) -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    aspects, varied = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for name, aspect, arguments in looks:
        aspects[name].add(aspect)
        varied[name] |= set(arguments)
    return {name: (frozenset(aspects[name]), frozenset(varied[name])) for name in aspects}


def _initializers() -> _Looks:
    for row in (*INITIALIZERS.values(), *RANDOM_VARIANTS, *ORTHOGONAL_VARIANTS, *FIXED_VARIANTS):
        yield class_name(row), "draws", [*row.config, *(["seed"] if row.law.random else [])]
    yield "STFT", "formula", WINDOWS
    for name, (_, arguments) in saved_cases.ARGUMENTS.items():
        yield name, CONFIGURATION, arguments


def _layers() -> _Looks:
    for row in LAYERS.values():
        for trait in row.traits:
            if type(trait) in _ASPECTS:
                yield row.name, _ASPECTS[type(trait)], trait.varied
    for case in MASKED:
        yield case.layer, "masks", case.varied
    for public in public_names():
        if public.kind == "layers" and (treated := arguments_treated(public.name, public.arguments)):
            yield public.name, "initial weights", treated


def _activations() -> _Looks:
    for case in ACTIVATION_CASES:
        yield case.name, "formula", ("x", *case.options)


def _losses() -> _Looks:
    for case in LOSS_CASES:
        for given in case.options:
            yield case.name, "formula", ["reduction", "name", "dtype", *given]
    for name in computations.LOSSES:
        loss, logits, _ = name.partition("_logits")
        yield loss.title().replace("_", ""), "formula", ["from_logits"] if logits else []
    yield from _parts(options.LOSSES)


def _metrics() -> _Looks:
    for name, config, *_ in computations.METRICS:
        yield name, "formula", config
    for metric in METRIC_CASES:
        for given in metric.options:
            yield metric.name, "formula", ["name", "dtype", *given]
    for name, arguments in SUMMED.items():
        yield name, "formula", arguments
    yield from _parts(options.METRICS)


def _optimizers() -> _Looks:
    for rule in computations.RULES:
        yield rule.optimizer.name, "steps", rule.config
    for row in OPTIMIZERS:
        if row.formula:
            yield row.name, "steps", row.defaults
        yield row.name, "around its step", COMMON_OPTIONS
    for name, arguments in WRAPPERS.items():
        yield name, "around its step", arguments
    yield from _parts(options.OPTIMIZER_PARTS)


def _schedules() -> _Looks:
    for schedule in computations.SCHEDULES:
        yield schedule.name, "formula", schedule.config
    yield from _parts(options.SCHEDULES)


def _random_functions() -> _Looks:
    for case in CASES:
        yield case.function, "draws", [*case.given, "seed"]
    yield "SeedGenerator", "draws", ["seed"]


def _weight_rules(rules: Mapping[str, Sequence[str]]) -> _Looks:
    for name, arguments in rules.items():
        yield name, "formula", arguments


def _callbacks() -> _Looks:
    for name, arguments in {**STOPPING, **KEEPING, **REPORTING}.items():
        yield name, "hooks", arguments


def _parts(parts: Iterable[options.SavedPart]) -> _Looks:
    for part in parts:
        yield part.name, CONFIGURATION, part.options


_TABLES: Mapping[str, Callable[[], _Looks]] = {
    "initializers": _initializers,
    "layers": _layers,
    "activations": _activations,
    "losses": _losses,
    "metrics": _metrics,
    "optimizers": _optimizers,
    "schedules": _schedules,
    "regularizers": lambda: _weight_rules(REGULARIZERS),
    "constraints": lambda: _weight_rules(CONSTRAINTS),
    "callbacks": _callbacks,
    "random functions": _random_functions,
}
