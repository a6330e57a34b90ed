"""A team board: cards that move in every open window, and who is here. README.md is its guide."""
