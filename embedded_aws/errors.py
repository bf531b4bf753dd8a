"""Errors that every part of the embedded AWS raises."""


class ServiceCallError(ValueError):
    """A service refused a call; the message is worded as in CloudFormation's status reasons."""

    def __init__(self, service: str, code: str, message: str) -> None:
        super().__init__(f"{message} (Service: {service}, Code: {code})")
        self.code, self.message = code, message
