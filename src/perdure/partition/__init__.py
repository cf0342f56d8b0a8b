"""The shell round the engine: the loop, the timers, who waits for what."""
