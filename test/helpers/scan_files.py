"""A folder of made-up scans: a box and a can with drawn labels, as OBJ files with JPEG textures."""

import math
from pathlib import Path

import cv2
import numpy as np
import yaml

THINGS = {
    'mesh': '{id}/scan.obj',
    'kinds': {'can': {'en': ['can'], 'zh': ['罐头']}},
    'things': [
        {
            'id': 'tea',
            'kind': 'box',
            'color': 'green',
            'supports': 'on',
            'names': {'en': ['tea box', 'box of tea'], 'zh': ['茶叶盒']},
        },
        {
            'id': 'beans',
            'kind': 'can',
            'color': 'red',
            'hazard': 'hot',
            'names': {'en': ['bean can'], 'zh': ['豆子罐头']},
        },
        {
            'id': 'tub',
            'kind': 'tub',
            'color': 'blue',
            'supports': 'in',
            'identity': 'shape',
            'names': {'en': ['tub'], 'zh': ['桶']},
        },
    ],
}


def write_scans(folder: Path) -> Path:
    """Write the three scans and things.yaml into a folder; return the things file."""
    _write(folder / 'tea', *_box((0.06, 0.09, 0.14)), (40, 150, 60), 'TEA')
    _write(
        folder / 'beans',
        *_turned([(0, 0), (0.035, 0), (0.035, 0.1), (0, 0.1)]),
        (200, 30, 30),
        'BEANS',
    )
    profile = [(0, 0), (0.06, 0), (0.08, 0.1), (0.076, 0.1), (0.056, 0.004), (0, 0.004)]
    _write(folder / 'tub', *_turned(profile), (30, 60, 200), 'TUB')
    things = folder / 'things.yaml'
    things.write_text(yaml.safe_dump(THINGS, allow_unicode=True), encoding='utf-8')
    return things


def _write(folder: Path, vertices, uv, faces, color, text: str) -> None:
    folder.mkdir(parents=True)
    image = np.full((512, 512, 3), color[::-1], np.uint8)
    cv2.putText(image, text, (20, 300), 0, 4, (255, 255, 255), 18)
    cv2.imwrite(str(folder / 'label.jpg'), image)
    (folder / 'scan.mtl').write_text('newmtl label\nmap_Kd label.jpg\n')
    lines = ['mtllib scan.mtl', 'usemtl label']
    lines += [f'v {x:.6f} {y:.6f} {z:.6f}' for x, y, z in vertices]
    lines += [f'vt {u:.6f} {v:.6f}' for u, v in uv]
    lines += ['f ' + ' '.join(f'{i + 1}/{i + 1}' for i in face) for face in faces]
    (folder / 'scan.obj').write_text('\n'.join(lines) + '\n')


def _box(size):
    vertices, uv, faces = [], [], []
    for axis in range(3):
        for sign in (-1, 1):
            start = len(vertices)
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                corner = np.empty(3)
                corner[axis], corner[(axis + 1) % 3], corner[(axis + 2) % 3] = sign, a, b
                vertices.append(corner * size / 2)
                uv.append(((a + 1) / 2, (b + 1) / 2))
            quad = [start, start + 1, start + 2, start + 3]
            faces.append(quad if sign > 0 else quad[::-1])
    return np.array(vertices), np.array(uv), faces


def _turned(profile, segments: int = 24):
    angles = np.linspace(0, 2 * math.pi, segments + 1)
    vertices = [(r * math.cos(a), r * math.sin(a), z) for r, z in profile for a in angles]
    uv = [
        (i / segments, j / (len(profile) - 1))
        for j in range(len(profile))
        for i in range(segments + 1)
    ]
    faces = []
    for j in range(len(profile) - 1):
        for i in range(segments):
            a, d = j * (segments + 1) + i, (j + 1) * (segments + 1) + i
            faces.append([a, a + 1, d + 1, d])
    return np.array(vertices), np.array(uv), faces
