"""What the arm can do, a module a skill, from metres and the depth around what is named alone."""

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
