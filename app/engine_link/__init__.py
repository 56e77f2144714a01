"""The engine beside the window: in a thread or a process of its own, told by commands, telling by messages."""
