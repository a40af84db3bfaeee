"""Bars from providers: checked, repaired, resampled, aligned."""
