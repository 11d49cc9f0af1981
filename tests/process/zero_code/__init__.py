"""Programs that know nothing of litespan, to be started by ``opentelemetry-instrument``."""
