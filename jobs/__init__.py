"""Work in the background: when things are done. What is done stands in the gateway."""
