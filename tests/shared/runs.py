"""Runs made by hand, for tests that need no framework."""

from initcheck import Environment, Run

ENVIRONMENT = Environment(
    versions={"tensorflow": "2.21.0", "keras": "3.15.1"},
    python="3.11.7",
    platform="Linux x86_64",
    cpu="a processor × 2",
    threads=(1, 1),
    onednn=True,
    op_determinism=False,
    devices=("CPU",),
)


def make_run(*, losses=(0.7, 0.5), accuracies=None, initializer="zeros", reseed=0, correct=(7, 3), total=(10, 5)):
    """A run with those training losses and reported accuracies."""
    accuracies = accuracies or [0.5] * len(losses)
    values = (tuple(losses), tuple(accuracies)) * 2
    history = dict(zip(("loss", "accuracy", "val_loss", "val_accuracy"), values, strict=True))
    shares = [of / among for of, among in zip(correct, total, strict=True)]
    return Run("iris", initializer, reseed, 7 + reseed, shares[0], total[0], shares[1], total[1], history)
