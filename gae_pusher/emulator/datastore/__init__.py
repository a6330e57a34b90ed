"""The local Datastore."""
