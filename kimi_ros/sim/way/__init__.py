"""Ways at walking height: a pavement or a corridor, and what stands on it; every distance known."""

from kimi_ros.sim.way.renderer import WayRenderer
from kimi_ros.sim.way.sampling import sample_way
from kimi_ros.sim.way.world import Block, Way, WayObject

__all__ = ['Block', 'Way', 'WayObject', 'WayRenderer', 'sample_way']
