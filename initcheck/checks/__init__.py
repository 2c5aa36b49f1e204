"""Judgement: each check judges evidence it is handed, and never trains."""
