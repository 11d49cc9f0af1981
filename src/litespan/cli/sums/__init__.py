"""Sums over the model calls in files of OTLP JSON lines: one pass, bounded memory, nothing invented."""
