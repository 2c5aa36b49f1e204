"""What checks are applied to: tables of cases, made once, that name no framework."""
