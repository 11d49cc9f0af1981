"""Benchmarks of litespan: CPU time a run costs, against doing the same by hand."""
