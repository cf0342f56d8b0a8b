"""What tests of whole programs share: processes, and a client for the surfaces of a server."""
