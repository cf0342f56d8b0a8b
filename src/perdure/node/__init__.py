"""Settings, and the one place that builds and wires everything."""
