"""For a person who carries the camera: guidance to a thing, narration of the surroundings."""
