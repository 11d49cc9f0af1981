"""Sources: each watches one host and fills records. Nothing here spells an attribute name."""
