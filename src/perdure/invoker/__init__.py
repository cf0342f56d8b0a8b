"""Runs attempts: the exchange with the code of a handler, over four transports."""
