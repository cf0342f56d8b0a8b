"""The replay machine: bytes of the service protocol in and out, without any IO, clock or asyncio."""
