"""One module a command of the `brink` command line."""
