# kimi_ros on a Jetson, with the TensorRT of JetPack; not built by its authors (docs/status.md).
#    JetPack 6: docker build -f docker/jetson.Dockerfile --build-arg BASE=nvcr.io/nvidia/l4t-jetpack:r36.4.0 \
#                   --build-arg ROS=humble -t kimi_ros .
#    JetPack 7: give the image of NVIDIA's catalogue that holds JetPack 7 as BASE, and ROS=jazzy
#    docker run --rm -it --runtime nvidia --network host --ipc host -v kimi_cache:/root/.cache kimi_ros
ARG BASE
FROM ${BASE}
ARG ROS
SHELL ["/bin/bash", "-c"]
ENV DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 ROS=${ROS}

RUN apt-get update && apt-get install -y --no-install-recommends curl gnupg lsb-release \
    && curl -fsSL https://raw.githubusercontent.com/ros/rosdistro/master/ros.key \
        -o /usr/share/keyrings/ros-archive-keyring.gpg \
    && echo "deb [signed-by=/usr/share/keyrings/ros-archive-keyring.gpg] http://packages.ros.org/ros2/ubuntu $(lsb_release -cs) main" \
        > /etc/apt/sources.list.d/ros2.list \
    && apt-get update && apt-get install -y --no-install-recommends \
        ros-${ROS}-ros-base ros-${ROS}-diagnostic-msgs ros-${ROS}-tf2-ros ros-${ROS}-vision-msgs \
        ros-${ROS}-visualization-msgs cmake g++ make python3-dev python3-pip python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /kimi_ros
COPY . .
# On top of a sourced ROS, make takes its Python, which also has JetPack's TensorRT.
RUN . /opt/ros/${ROS}/setup.bash && make setup && .venv/bin/pip install --no-cache-dir 'cuda-bindings<14'
ENTRYPOINT ["/bin/bash", "-c", ". /opt/ros/${ROS}/setup.bash && . .venv/bin/activate && exec \"$@\"", "--"]
CMD ["kimi", "up", "--no-camera"]
