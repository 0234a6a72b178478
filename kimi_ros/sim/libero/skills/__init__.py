"""The arm's skills, a module for each; all they are told is where their targets were seen.

Each raises OutOfSteps when the task's control steps are used up.
"""

from kimi_ros.sim.libero.skills.close import close
from kimi_ros.sim.libero.skills.drawer import open_drawer
from kimi_ros.sim.libero.skills.knob import turn_off, turn_on
from kimi_ros.sim.libero.skills.pick import pick
from kimi_ros.sim.libero.skills.place import place
from kimi_ros.sim.libero.skills.push import push
from kimi_ros.sim.libero.skills.result import Held, Result

__all__ = [
    'Held',
    'Result',
    'close',
    'open_drawer',
    'pick',
    'place',
    'push',
    'turn_off',
    'turn_on',
]
