"""How many samples to take, as multiples of what the stated power needs; never less than 1."""

EFFORTS = {"quick": 1.0, "normal": 1.5, "thorough": 4.0}
