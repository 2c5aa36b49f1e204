"""The catalogues: initializers and their laws, layers, optimizers, problems, known issues. One row in one place."""
