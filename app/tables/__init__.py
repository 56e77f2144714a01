"""Tables of the window: what their columns say, and the models that views ask."""
