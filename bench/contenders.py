"""Who is compared: name to the class that runs it, imported only in its own process."""

PLACES = {
    'ours': 'bench.ours:Ours',
    'torch_decoder': 'bench.torch_decoder:TorchDecoder',
    'torch_vision': 'bench.torch_vision:TorchVision',
    'llama': 'bench.llama:Llama',
    'reading': 'bench.reading:Reading',
    'nano_start': 'bench.nano:Start',
    'nano': 'bench.nano:Nano',
    'node': 'bench.node:Node',
    'rendering': 'bench.school:Rendering',
    'scene_sets': 'bench.school:SceneSets',
    'lessons': 'bench.lessons:Lessons',
    'profile': 'bench.profiles:Profile',
}
