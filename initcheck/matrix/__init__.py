"""Several targets judged by the same laws, each in a process of its own, and side by side."""
