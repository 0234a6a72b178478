"""Cameras named in instructions."""

import pytest

from kimi_ros.nodes.camera_names import UnknownCameraError, named_camera

CAMERAS = ['left', 'r1/front_camera', 'left_wrist']


@pytest.mark.parametrize(
    ('instruction', 'camera', 'rest'),
    [
        ('pick up the red cup with the left camera', 'left', 'pick up the red cup'),
        ('With the front camera, find the book.', 'r1/front_camera', 'find the book.'),
        ('use the front camera and find the book', 'r1/front_camera', 'find the book'),
        ('find the book using the left wrist camera', 'left_wrist', 'find the book'),
        ('what does the left camera see?', 'left', 'what do you see?'),
        ('what do you see in the left camera?', 'left', 'what do you see?'),
        ('用左边的摄像头找到红色的书', 'left', '找到红色的书'),
        ('用前面的相机，拿起杯子', 'r1/front_camera', '拿起杯子'),
        ('左手腕的摄像头能看到什么？', 'left_wrist', '你看到什么？'),
        ('左边摄像头里有什么？', 'left', '有什么？'),
        ('从前方摄像头看看有什么', 'r1/front_camera', '看看有什么'),
        ('用front摄像头找书', 'r1/front_camera', '找书'),
    ],
)
def test_camera_is_taken_out_of_the_instruction(instruction, camera, rest):
    assert named_camera(instruction, CAMERAS) == (camera, rest)


@pytest.mark.parametrize(
    'instruction',
    [
        'pick up the left camera',
        'put the cup next to the front camera',
        'put the cup on the left',
        'find the front door',
        'photograph it with the red camera',
        '拿起左边的相机',
        '把杯子放到左边',
        'go on',
    ],
)
def test_a_camera_as_a_thing_names_none(instruction):
    assert named_camera(instruction, CAMERAS) == ('', instruction)


def test_one_camera_needs_no_name():
    text = 'find the cup with the left camera'
    assert named_camera(text, ['']) == ('', text)
    assert named_camera(text, ['left']) == ('', text)


@pytest.mark.parametrize('instruction', ['find it with the rear camera', '用后面的摄像头找杯子'])
def test_a_camera_that_is_not_there_is_an_error(instruction):
    with pytest.raises(UnknownCameraError):
        named_camera(instruction, CAMERAS)
