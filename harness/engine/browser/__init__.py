"""What a visitor's browser does on the wire: connections, TLS, names, cookies, bodies, and the closed list of what can go wrong."""
