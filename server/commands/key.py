"""`baodanh key`: the secret keys of this service."""

import os
from typing import Literal

from cyclopts import App

from kit.keys import KeyRing
from server.settings import load_settings

app = App(name="key", help="Secret keys: pin (lookup codes), cache (what Redis holds).")


@app.command
def rotate(name: Literal["pin", "cache"]) -> None:
    """Make a newer key of this name; older ones go on being recognised. Takes effect when the service starts again.

    A new `pin` key changes the codes that are handed out from now on; codes printed before go on working.
    """
    settings = load_settings(os.environ)
    key = KeyRing(settings.keys_folder, may_create=settings.keys_dir is None).rotate(name)
    print(f"{name}.{key.id} is current from the next start on. Copy it to every node, and back it up.")
