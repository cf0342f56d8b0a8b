"""What registered code offers, and what may be registered. Pure: no IO, no clock, no ids of its own."""
