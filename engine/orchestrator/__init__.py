"""Running strategies over days and weeks: workers in processes of their own, watched, by schedule, under control."""
