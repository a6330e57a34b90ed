"""`gae-pusher doctor`: questions to the running services, one small function each."""
