"""The HTTP contract, free of any web framework: calls, bodies and answers. The command line speaks it, too."""
