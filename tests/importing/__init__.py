"""Files of costs: read, added up, stored."""
