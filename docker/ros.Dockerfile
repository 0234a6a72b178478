# kimi_ros on a ROS distribution; not built by its authors, who have no Docker (docs/status.md).
#    docker build -f docker/ros.Dockerfile --build-arg ROS=jazzy -t kimi_ros .     (or lyrical)
#    docker run --rm -it --network host --ipc host kimi_ros
ARG ROS=jazzy
FROM ros:${ROS}-ros-base
ARG ROS
SHELL ["/bin/bash", "-c"]

RUN apt-get update && apt-get install -y --no-install-recommends \
        python3-colcon-common-extensions python3-pip python3-venv \
        ros-${ROS}-diagnostic-msgs ros-${ROS}-tf2-ros ros-${ROS}-vision-msgs \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /ws
COPY . src/kimi_ros
# What rosdep has no key for (package.xml) comes from pip, on top of the system's Python and its ROS.
RUN . /opt/ros/${ROS}/setup.bash \
    && apt-get update && rosdep update -q \
    && rosdep install -y -q --from-paths src/kimi_ros src/kimi_ros/kimi_msgs --ignore-src \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir --break-system-packages \
        llguidance onnx 'onnxruntime>=1.23.2' safetensors tokenizers \
    && colcon build --base-paths src/kimi_ros src/kimi_ros/kimi_msgs

# The nano model is exported on first use: do it now.
RUN . install/setup.bash && kimi doctor || true
ENTRYPOINT ["/bin/bash", "-c", ". install/setup.bash && exec \"$@\"", "--"]
CMD ["ros2", "launch", "kimi_ros", "kimi.launch.py"]
