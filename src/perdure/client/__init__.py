"""Calling and controlling invocations from outside of handlers, over HTTP or inside of a program."""
