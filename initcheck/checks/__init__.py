"""Judgement: each check judges the evidence that it is given, and never trains."""
