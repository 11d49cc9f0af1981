"""Batches on disk between the program and the receiver, so that an outage or a kill loses none of them."""
