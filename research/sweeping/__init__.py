"""Sweeps: thousands of runs from one file, on one machine or a cluster, and how much of the best is luck."""
