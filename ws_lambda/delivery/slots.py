"""How many exchanges may be in flight at once."""

from collections import deque


class Slots:
    """A limit that several runs share: those that are given the same object. Lock-free."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free = deque([None] * limit)

    def take(self) -> bool:
        """Takes a slot, if one is free."""
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def give(self) -> None:
        """Gives a slot back."""
        self._free.append(None)


class RunSlots:
    """The exchanges that one run has in flight: each has a slot, except one that may go beyond the limit.

    A run with nothing in flight starts an exchange even if no slot is free. Otherwise a send would have to wait
    for slow exchanges of other threads. Only this object knows of the exchange beyond the limit.
    """

    def __init__(self, slots: Slots) -> None:
        self.in_flight = 0
        self._slots = slots
        self._one_beyond = False

    def take(self) -> bool:
        """Counts one more exchange, if it may start."""
        if not self._slots.take():
            if self.in_flight:
                return False
            self._one_beyond = True
        self.in_flight += 1
        return True

    def give(self) -> None:
        """Counts one exchange less. It gives a slot back, unless an exchange was beyond the limit."""
        self.in_flight -= 1
        if self._one_beyond:
            self._one_beyond = False
        else:
            self._slots.give()

    def give_all(self) -> None:
        """Gives all slots back. The run waits for none of its exchanges any more."""
        while self.in_flight:
            self.give()
