"""Evidence: records of the framework under test; checks judge them."""
