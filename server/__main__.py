"""`python -m server` is `baodanh`."""

from server.commands import main

if __name__ == "__main__":
    main()
