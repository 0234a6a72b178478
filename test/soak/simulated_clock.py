"""A clock of simulated time that jumps."""

import threading
import time

PERIOD = 0.05  # s


class SimulatedClock:
    """Publishes /clock, and jumps."""

    def __init__(self, node):
        from rosgraph_msgs.msg import Clock

        self._kind = Clock
        self._publisher = node.create_publisher(Clock, '/clock', 10)
        self._offset = 1000.0 - time.monotonic()
        self.jumps, self.jumped = 0, float('-inf')
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def now(self):
        return time.monotonic() + self._offset

    def jump(self, seconds):
        self.jumps, self.jumped = self.jumps + 1, time.monotonic()
        self._offset = max(self._offset + seconds, 10.0 - time.monotonic())

    def stop(self):
        self._end.set()
        self._thread.join()

    def _run(self):
        while not self._end.wait(PERIOD):
            message, now = self._kind(), self.now()
            message.clock.sec, message.clock.nanosec = int(now), int(now % 1 * 1e9)
            self._publisher.publish(message)
