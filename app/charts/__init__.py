"""The charts: stores and pyramids without Qt, and the items and widgets that draw them."""
