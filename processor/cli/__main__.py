"""`python -m processor.cli`: the same as the `chatguard` command."""

from processor.cli import main

main()
