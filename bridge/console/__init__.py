"""The built-in web page: expressions, tables and graphs, and the state of the bridge."""
