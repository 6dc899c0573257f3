"""What officers do about units at `/can-bo/don-vi`."""
