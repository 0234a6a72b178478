"""Teaching nano things that were scanned, beside the painted tables that it knows."""
