"""Training on other processes and machines, through any executor; results come back to the store of this one."""
