"""Trained exits and their manifests."""
