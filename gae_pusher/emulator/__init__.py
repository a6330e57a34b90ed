"""The local stack: what stands in for hosted services during development and tests."""
