"""Evidence: what the framework under test does, as records; checks judge them."""
