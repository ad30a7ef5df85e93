"""Redis, and the vocabulary shared by all packages."""
