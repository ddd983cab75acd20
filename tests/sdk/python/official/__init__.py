"""The providers' own parsers as judges of what Waypost reads from recorded traffic."""
