"""What may go wrong for a reason that the user can change."""


class InputError(Exception):
    """A parameter or a file that a training cannot begin with: trying again will not help. The text is one sentence."""
