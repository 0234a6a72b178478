"""The measured systems: kimi_ros and its baselines, each imported only in its own process."""

BASELINES = {
    'ours': 'bench.kimi:KimiEngine',
    'torch_decoder': 'bench.torch_decoder:TorchDecoder',
    'torch_vision': 'bench.torch_vision:TorchVision',
    'llama': 'bench.llama:Llama',
    'reading': 'bench.memory_bandwidth:MemoryBandwidth',
    'nano_start': 'bench.nano:Start',
    'nano': 'bench.nano:Nano',
    'node': 'bench.node:Node',
    'speech': 'bench.speech:Speech',
    'rendering': 'bench.training:Rendering',
    'scene_sets': 'bench.training:SceneSets',
    'training_throughput': 'bench.training_throughput:TrainingThroughput',
    'profile': 'bench.profiles:Profile',
}
