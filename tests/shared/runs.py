"""Runs made by hand, for tests that need no framework."""

from initcheck import Environment, Epoch, Run

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
    history = tuple(
        Epoch(number, loss, accuracy, loss, accuracy)
        for number, (loss, accuracy) in enumerate(zip(losses, accuracies, strict=True), start=1)
    )
    return Run("iris", initializer, reseed, 7 + reseed, correct[0], total[0], correct[1], total[1], history)
