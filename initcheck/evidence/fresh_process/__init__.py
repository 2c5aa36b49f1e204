"""The same questions put to a process that has just started."""
