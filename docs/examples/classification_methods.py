"""Compare distillation methods on handwritten digits, with several seeds and intervals; torch and scikit-learn alone.

    python docs/examples/classification_methods.py --seeds 8

Each seed has its own split of the images, teacher, initial weights and batches, which all of its students share.
"""

import argparse
import json
import shlex
import statistics
import sys
from pathlib import Path

import torch
from scipy import stats
from sklearn.datasets import load_digits
from torch import nn

from eakd_det.losses import DKDLoss, KDLoss, LearnedTemperature, MLDLoss, TTMLoss
from eakd_det.weighting import EntropyWeighting, PowerSumWeighting, UniformWeighting

digits = load_digits()  # 1797 images of 8 x 8 pixels
IMAGES, LABELS = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
TEACHER_TRAIN, TRAIN, STEPS, BATCH = 900, 400, 500, 64
WIDTH = 8  # hidden units of a student; the teacher has 256
COMPARISONS = [  # a method and the one to subtract; the papers print a gain for each
    ('KD', 'student'),
    ('EA-KD', 'KD'),
    ('DKD', 'KD'),
    ('EA-DKD', 'DKD'),
    ('CTKD', 'KD'),
    ('EA-CTKD', 'CTKD'),
    ('MLD', 'KD'),
    ('EA-MLD', 'MLD'),
    ('KD+LS', 'KD'),
    ('MLD+LS', 'MLD'),
    ('EA-MLD+LS', 'MLD+LS'),
    ('TTM', 'KD'),
    ('WTTM', 'TTM'),
]


def methods():
    """The losses by name, each with the weight of the cross-entropy; settings of the papers for CIFAR-100."""
    found = {}
    for prefix, weighting in (('', UniformWeighting()), ('EA-', EntropyWeighting(tau=3.0))):
        ramp = LearnedTemperature(ramp_iters=max(1, STEPS * 10 // 240))  # the published share of the schedule
        ls_weight = 4.0 if prefix else 9.0
        gram = dict(gram='published', weighting=weighting)
        found[f'{prefix}KD'] = 0.1, KDLoss(tau=4.0, loss_weight=0.9, weighting=weighting)
        found[f'{prefix}DKD'] = 1.0, DKDLoss(tau=4.0, alpha=1.0, beta=8.0, weighting=weighting)
        found[f'{prefix}CTKD'] = 0.1, KDLoss(tau=ramp, loss_weight=0.9, weighting=weighting)
        found[f'{prefix}MLD'] = 0.1, MLDLoss(loss_weight=0.9, **gram)
        temperatures = (2.0, 3.0, 5.0, 2.0, 6.0)
        found[f'{prefix}MLD+LS'] = 0.1, MLDLoss(temperatures, standardize=True, loss_weight=ls_weight, **gram)
    found['KD+LS'] = 0.1, KDLoss(tau=2.0, standardize=True, loss_weight=9.0)
    found['TTM'] = 1.0, TTMLoss(tau=4.0, loss_weight=20.0)
    found['WTTM'] = 1.0, TTMLoss(tau=4.0, loss_weight=4.0, weighting=PowerSumWeighting(tau=4.0))
    return found


def network(width):
    return nn.Sequential(nn.Linear(64, width), nn.Tanh(), nn.Linear(width, 10))


def train(width, rows, seed, distillation=None, teacher_logits=None):
    """Train on the images ``rows``; the seed decides initial weights and batches."""
    torch.manual_seed(seed)
    model = network(width)
    weight, loss_fn = distillation or (1.0, None)
    parameters = [*model.parameters(), *(loss_fn.parameters() if loss_fn else ())]  # CTKD trains its temperature
    optimizer = torch.optim.Adam(parameters, lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        batch = rows[torch.randint(len(rows), (BATCH,), generator=generator)]
        images, labels = IMAGES[batch], LABELS[batch]
        logits = model(images)
        loss = weight * nn.functional.cross_entropy(logits, labels)
        if loss_fn is not None:
            more = (labels,) if isinstance(loss_fn, DKDLoss) else ()
            loss = loss + loss_fn(logits, teacher_logits[batch], *more)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model


@torch.no_grad()
def accuracy(model, rows):
    return 100 * (model(IMAGES[rows]).argmax(dim=1) == LABELS[rows]).double().mean().item()


def run(seed):
    """The accuracy of teacher, student and every method on the images that none of them has seen."""
    order = torch.randperm(len(IMAGES), generator=torch.Generator().manual_seed(seed))
    rows, test = order[:TRAIN], order[TEACHER_TRAIN:]
    teacher = train(256, order[:TEACHER_TRAIN], seed)
    with torch.no_grad():
        teacher_logits = teacher(IMAGES)
    found = {'teacher': accuracy(teacher, test), 'student': accuracy(train(WIDTH, rows, seed), test)}
    for name, distillation in methods().items():
        found[name] = accuracy(train(WIDTH, rows, seed, distillation, teacher_logits), test)
    return found


def compare(runs):
    """Each comparison with the mean difference and its 95 % interval over seeds."""
    rows = []
    for name, other in COMPARISONS:
        differences = [found[name] - found[other] for found in runs]
        low = high = statistics.fmean(differences)  # of equal differences the test has no interval
        if len(set(differences)) > 1:
            low, high = map(float, stats.ttest_1samp(differences, 0).confidence_interval(0.95))
        rows.append(dict(method=name, minus=other, mean=statistics.fmean(differences), low=low, high=high))
    return rows


def table(runs, comparisons):
    """Both tables in Markdown."""
    means = {name: [found[name] for found in runs] for name in runs[0]}
    lines = ['| | top-1, % |', '| --- | ---: |']
    lines += [
        f'| {name} | {statistics.fmean(each):.1f} ± {statistics.stdev(each):.1f} |' for name, each in means.items()
    ]
    lines += ['', '| difference | points [95 %] | sign, printed + |', '| --- | ---: | --- |']
    for row in comparisons:
        sign = '+' if row['low'] > 0 else '-' if row['high'] < 0 else 'open'
        interval = f'{row["mean"]:+.1f} [{row["low"]:+.1f}, {row["high"]:+.1f}]'
        lines.append(f'| {row["method"]} - {row["minus"]} | {interval} | {sign} |')
    return '\n'.join(lines)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seeds', type=int, default=8, help='number of seeds, at least 2; default: 8')
    parser.add_argument('--out', type=Path, help='write the numbers to this JSON file')
    args = parser.parse_args()
    torch.set_num_threads(1)  # the networks are too small for more
    results = [run(seed) for seed in range(args.seeds)]
    compared = compare(results)
    print(table(results, compared))
    if args.out:
        command = shlex.join(['python', 'docs/examples/classification_methods.py', *sys.argv[1:]])
        record = dict(command=command, table=table(results, compared), runs=results, comparisons=compared)
        args.out.write_text(json.dumps(record, indent=1) + '\n')
