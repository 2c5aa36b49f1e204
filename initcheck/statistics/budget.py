"""The suite's error budget, and its sample sizes."""

FALSE_ALARM_RATE = 1e-3  # for the whole suite, per root seed
POWER = 0.999  # at the effect that a check states

# Multiples of the sample size that this power needs; never less than 1.
EFFORTS = {"quick": 1.0, "normal": 1.5, "thorough": 4.0}
