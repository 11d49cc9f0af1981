"""Export requests that are bytes already, sent once: whoever calls decides when to try again."""
