"""Mail that goes out because something was committed: queued in the same transaction, sent until it is taken."""
