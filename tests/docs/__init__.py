"""The documents put to the test: tutorials and cookbook are run, references are made anew and compared."""
