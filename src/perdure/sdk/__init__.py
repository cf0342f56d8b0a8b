"""The SDK: services in Python, from the decorators to the bytes of the service protocol."""
