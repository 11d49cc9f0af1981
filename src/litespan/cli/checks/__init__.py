"""The checks of `litespan doctor`: pure functions on facts, and thin parts that gather those."""
