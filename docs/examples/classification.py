"""Distil a classifier of handwritten digits; torch does the work, scikit-learn only brings the images."""

import torch
from sklearn.datasets import load_digits
from torch import nn

from eakd_det.losses import KDLoss
from eakd_det.weighting import EntropyWeighting

digits = load_digits()  # 1797 images of 8 x 8 pixels, in random order
images, labels = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
TRAIN = 900  # the rest is for testing


def train(width, num_labels, teacher=None, distillation=None):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, width), nn.Tanh(), nn.Linear(width, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(200):
        logits = model(images[:TRAIN])
        loss = nn.functional.cross_entropy(logits[:num_labels], labels[:num_labels])
        if teacher is not None:
            with torch.no_grad():
                teacher_logits = teacher(images[:TRAIN])
            loss = loss + distillation(logits, teacher_logits)  # needs no labels
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def accuracy(model):
    return (model(images[TRAIN:]).argmax(dim=1) == labels[TRAIN:]).double().mean().item()


teacher = train(256, num_labels=TRAIN)
ea_kd = KDLoss(tau=2.0, weighting=EntropyWeighting(tau=3.0))
print(f'teacher            {accuracy(teacher):.3f}')
print(f'student            {accuracy(train(8, 100)):.3f}')
print(f'student with KD    {accuracy(train(8, 100, teacher, KDLoss(tau=2.0))):.3f}')
print(f'student with EA-KD {accuracy(train(8, 100, teacher, ea_kd)):.3f}')
