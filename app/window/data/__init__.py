"""Actions on data sources and the bar store."""
