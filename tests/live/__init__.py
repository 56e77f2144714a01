"""Tests of the live data layer against the loopback emulator."""
