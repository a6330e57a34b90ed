"""The local App Engine: a front door that plays production's, and the app behind it."""
