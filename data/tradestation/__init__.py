"""TradeStation: sign-in, history, live bars, quotes, recording, and a loopback service to try it all against."""
