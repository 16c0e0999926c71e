"""How the server is: for supervisors, for Prometheus, for admins."""
