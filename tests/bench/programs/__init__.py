"""What is compared with the worker; each runs as a process of its own until SIGTERM."""
