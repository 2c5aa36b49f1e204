"""Tables, plots and pages: shows what was found, and never judges."""
