"""How `litespan send` replays files."""
