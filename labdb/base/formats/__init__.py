"""How dates and times are written: ISO, with the zone, in English."""
