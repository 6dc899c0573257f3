"""`python -m server` is `baodanh`."""

from server.commands.main import main

if __name__ == "__main__":
    main()
