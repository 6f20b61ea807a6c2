"""A fast simulation of servers, seen by the search exactly as it sees a real surge."""
