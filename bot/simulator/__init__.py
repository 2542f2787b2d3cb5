"""A local carrier that speaks Twilio's Messages dialect, and a page that shows phones."""
