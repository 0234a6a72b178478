"""ROS nodes: thin shells around the agent; the only place that imports rclpy."""
