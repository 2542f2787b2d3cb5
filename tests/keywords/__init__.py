"""What the keywords package promises."""
