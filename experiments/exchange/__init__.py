"""Records into files of other programs. Nothing is computed here that is stored elsewhere."""
