"""Tables, plots and pages: shows results, and never judges."""
