"""What happened: asked for, or followed as it comes."""
