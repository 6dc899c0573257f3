"""Where the public finds units: the directory, and each unit's page."""
