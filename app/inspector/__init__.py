"""Forms for nodes, instruments and settings, made from schemas alone."""
