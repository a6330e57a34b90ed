"""Doubles and servers for the tests of applications: shipped, typed, tested."""
