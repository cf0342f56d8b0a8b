"""Answers to operations that do not fit the state of an invocation."""

from perdure.model.actions import Refused


def unknown_invocation(invocation_id: str) -> Refused:
    return Refused(404, f"The requested invocation '{invocation_id}' does not exist")


def completed_already(invocation_id: str) -> Refused:
    return Refused(409, f"The invocation '{invocation_id}' was already completed.")
