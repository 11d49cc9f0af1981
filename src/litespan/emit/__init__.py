"""Emitters: records in, OpenTelemetry API out. Nothing here imports a host."""
