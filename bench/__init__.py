"""Benchmarks: figures for the README, never tests."""
