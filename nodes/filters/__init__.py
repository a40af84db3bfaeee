"""What lets entries pass or blocks them."""
