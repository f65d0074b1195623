"""Put trained weights into the zoo: python tools/dev/release_weights.py NAME RUN --config CONFIG --precision int8.

RUN is the folder of a finished run with ``student.pth`` and ``record.json``. Writes ``zoo/NAME``, the weights as
safetensors and the model card, and the entry in ``zoo/metafile.yml``. The figures are those of the written file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from eakd_det.checkpoint import checkpoint_classes, load_checkpoint_file  # noqa: E402
from eakd_det.checkpoint.safetensors_file import write_safetensors  # noqa: E402

METAFILE = ROOT / 'zoo' / 'metafile.yml'
CARD = """# {name}

{title}. Load it by `eakd_det.zoo.load_detector('{name}')`, or name it as a checkpoint: `zoo://{name}`.

| | |
| --- | --- |
| detector | `{config}`, {parameters:.1f} million parameters |
| training | `{command}` |
| data | {data} |
| seed | {seed}; one run |
| AP of this file | **{file_ap:.1f}**, AP50 {file_ap50:.1f}, AP75 {file_ap75:.1f}, by `{test}` |
| AP of the run, in float32 | {run_ap:.1f} |
| AP with other seeds | {other_seeds} |
| precision | {precision} |
| file | `model.safetensors`, {megabytes:.1f} MB, sha256 `{sha256}` |
| versions | {versions} |
| licence | {licence} |

**Use.** {use}
"""
PRECISIONS = {
    'float32': 'float32',
    'float16': 'float16 for kernels and matrices, float32 for the rest',
    'int8': 'int8 with a float32 scale for each output channel, for kernels and matrices; float32 for the rest',
}


def release(args: argparse.Namespace) -> dict[str, Any]:
    """Write the weights and return the model's entry, without figures."""
    content = load_checkpoint_file(args.run / 'student.pth')
    folder = ROOT / 'zoo' / args.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'model.safetensors'
    classes = checkpoint_classes(content)
    write_safetensors(path, content['state_dict'], {'dataset_meta': {'classes': classes}}, args.precision)
    return {
        'Name': args.name,
        'Config': args.config,
        'Metadata': {
            'Training Data': args.data,
            'Training Command': json.loads((args.run / 'record.json').read_text())['command'],
            'Parameters': sum(tensor.numel() for tensor in content['state_dict'].values()),
            'Precision': args.precision,
            'Licence': args.licence,
            'SHA256': hashlib.sha256(path.read_bytes()).hexdigest(),
        },
        'Results': [{'Task': 'Object Detection', 'Dataset': args.data, 'Metrics': {}}],
        'Weights': str(path.relative_to(ROOT)),
    }


def test(args: argparse.Namespace) -> dict[str, float]:
    """Return AP, AP50 and AP75 of the file, in %, by ``tools/test.py``."""
    with tempfile.TemporaryDirectory() as folder:
        options = ['--work-dir', folder, '--cfg-options', f'data_root={args.test}']
        command = [sys.executable, 'tools/test.py', args.config, f'zoo://{args.name}', *options]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        record = json.loads((Path(folder) / 'eval_record.json').read_text())
    metrics = record['entries'][-1]['metrics']
    return {f'box {name}': round(100 * metrics[name], 1) for name in ('AP', 'AP50', 'AP75')}


def card(args: argparse.Namespace, entry: dict[str, Any]) -> str:
    """Return the model card."""
    record = json.loads((args.run / 'record.json').read_text())
    metadata, figures = entry['Metadata'], entry['Results'][0]['Metrics']
    return CARD.format(
        name=args.name,
        title=args.title,
        config=args.config,
        parameters=metadata['Parameters'] / 1e6,
        command=record['command'],
        data=args.data,
        seed=record['seed'],
        file_ap=figures['box AP'],
        file_ap50=figures['box AP50'],
        file_ap75=figures['box AP75'],
        test=f'python tools/test.py {args.config} zoo://{args.name} --cfg-options data_root={args.test}',
        run_ap=100 * record['metrics']['AP'],
        other_seeds=args.other_seeds,
        precision=PRECISIONS[args.precision],
        megabytes=(ROOT / entry['Weights']).stat().st_size / 1e6,
        sha256=metadata['SHA256'],
        versions=', '.join(f'{name} {version}' for name, version in record['versions'].items()),
        licence=args.licence,
        use=args.use,
    )


def main() -> int:
    """Release the weights of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('name')
    parser.add_argument('run', type=Path, help='folder of the finished run')
    parser.add_argument('--config', required=True, help='config of the plain detector')
    parser.add_argument('--precision', default='float16', choices=tuple(PRECISIONS))
    parser.add_argument('--test', required=True, metavar='DATA_ROOT', help='data on which the file is tested')
    for name, text in (('title', 'first line of the card'), ('data', 'training and validation data')):
        parser.add_argument(f'--{name}', required=True, help=text)
    parser.add_argument('--licence', default='Apache-2.0')
    parser.add_argument('--other-seeds', default='not measured')
    parser.add_argument('--use', default='A teacher or a baseline for experiments; it was made for nothing else.')
    args = parser.parse_args()
    entry = release(args)
    models = yaml.safe_load(METAFILE.read_text())['Models'] if METAFILE.is_file() else []
    models = [model for model in models if model['Name'] != args.name] + [entry]
    METAFILE.write_text(yaml.safe_dump({'Models': models}, sort_keys=False, width=120))
    entry['Results'][0]['Metrics'] = test(args)
    METAFILE.write_text(yaml.safe_dump({'Models': models}, sort_keys=False, width=120))
    (ROOT / 'zoo' / args.name / 'README.md').write_text(card(args, entry))
    print(f'zoo/{args.name}: {entry["Results"][0]["Metrics"]}, {(ROOT / entry["Weights"]).stat().st_size} bytes')
    return 0


if __name__ == '__main__':
    sys.exit(main())
