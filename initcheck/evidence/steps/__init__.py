"""Rows of what is documented of training: what each step, epoch and call of it does and reports."""
