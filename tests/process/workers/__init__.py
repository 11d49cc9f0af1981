"""Programs that set litespan up in their code and do their work in several processes."""
