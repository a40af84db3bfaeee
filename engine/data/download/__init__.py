"""Downloads: bars from servers into the bar store, resumed after interruption and brought up to date later."""
