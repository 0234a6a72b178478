"""A recorded bag is played as if its camera were there now."""

import runpy
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rosbags', reason='pip install rosbags')

from kimi_ros.nodes.stamps import nanoseconds
from kimi_ros.sim import recorded_frames

SCRIPT = Path(__file__).parents[2] / 'scripts' / 'make_bag.py'


def test_camera_and_transforms_are_played_with_stamps_of_now(graph, start, tmp_path):
    from sensor_msgs.msg import CameraInfo, Image
    from tf2_msgs.msg import TFMessage

    from kimi_ros.nodes import qos

    frames = [one.frame for one in recorded_frames()[:2]]
    runpy.run_path(str(SCRIPT))['write_bag'](tmp_path / 'bag', frames, 4.0, 'mcap')
    images = graph.subscribe(Image, 'image', qos.STATUS)
    depths = graph.subscribe(Image, 'depth/image', qos.STATUS)
    infos = graph.subscribe(CameraInfo, 'camera_info', qos.STATUS)
    poses = graph.subscribe(TFMessage, '/tf_static', qos.STATIC_TRANSFORMS)
    player = start('kimi_ros.nodes.bag_player', {'path': str(tmp_path / 'bag')})

    def played():
        player.check()
        return len(images) >= 4 and depths and infos and poses

    graph.until(played, 'the bag, twice')
    now = graph.node.get_clock().now().nanoseconds
    stamps = [nanoseconds(image.header.stamp) for image in images]
    assert sorted(stamps) == stamps and 0 < now - stamps[-1] < 5e9
    shown = {bytes(image.data) for image in images}
    assert shown == {frame.rgb.tobytes() for frame in frames}
    pixels = np.frombuffer(depths[0].data, np.float32)
    assert any(np.array_equal(pixels, f.depth.ravel().astype(np.float32)) for f in frames)
    (transform,) = poses[0].transforms
    assert (transform.header.frame_id, transform.child_frame_id) == ('base_link', 'camera_optical')


def test_bag_that_is_not_there_ends_the_node_with_one_line(graph, start, tmp_path):
    from kimi_ros.process import ProcessEndedError

    player = start('kimi_ros.nodes.bag_player', {'path': str(tmp_path / 'none')})
    graph.until(lambda: player.ended() is not None, 'its end')
    with pytest.raises(ProcessEndedError, match='not started: .*none cannot be read as a bag'):
        player.check()
