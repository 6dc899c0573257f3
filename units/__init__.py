"""Who takes part: departments, communes and schools, and how they depend on one another."""
