"""Measurements side by side with other packages; never part of the tests."""
