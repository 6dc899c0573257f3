"""One command runs everything: what is started, kept alive, said, and ended in good order."""
