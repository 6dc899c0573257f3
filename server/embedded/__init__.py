"""PostgreSQL and Valkey of our own, for whoever has none: from wheels, on unix sockets, in a folder."""
