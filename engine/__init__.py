"""The simulator: kernel, drives, environment, journal, statistics, results."""
