"""Events that commit with the caller's transaction and are sent until they arrived."""
