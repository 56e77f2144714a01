"""Tests of Triphase; the folders under unit/ mirror the packages."""
