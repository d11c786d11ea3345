"""python -m gateway: the same as the command millgate."""

from gateway.cli.main import main

main()
