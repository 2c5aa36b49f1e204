"""The cases that checks apply to: tables, made once, that name no framework."""
