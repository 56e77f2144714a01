"""The panels of the window: each draws from (journal, cursor) alone, once a frame."""
