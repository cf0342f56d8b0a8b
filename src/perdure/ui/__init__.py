"""The web page: static files that talk to the operators' API and its stream of events. No build step."""
