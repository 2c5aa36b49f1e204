"""What is tested: initializers, their laws, problems. Rows, one place each."""
