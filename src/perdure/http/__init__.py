"""HTTP servers: sockets and ASGI."""
