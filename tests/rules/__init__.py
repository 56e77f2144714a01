"""A test for every rule of the simulation, one file per chapter, with numbers worked by hand."""
