"""What is documented of every step: losses, metrics, optimizers, the trainer, callbacks, pipelines and feeds."""
