"""Replay as a cursor over a journal: everything a panel shows, derived from (journal, cursor), without Qt."""
