"""The public names and the rooms that define them.

A name is the same in Python and in a config: ``type='eakd_det.KDLoss'`` is the class ``eakd_det.KDLoss``.
"""

from __future__ import annotations

SCOPE = 'eakd_det'

# These need torch alone.
PARTS: dict[str, tuple[str, ...]] = {
    'weighting': (
        'ConfidenceWeighting',
        'CurriculumWeighting',
        'DifferenceWeighting',
        'EntropyWeighting',
        'HardProposalWeighting',
        'MeanMatchedWeighting',
        'PowerSumWeighting',
        'TeacherLossWeighting',
        'UniformWeighting',
    ),
    'losses': (
        'BoxLoss',
        'ATLoss',
        'CATKDLoss',
        'CRDLoss',
        'CrossHeadLoss',
        'DKDLoss',
        'EmbeddingLoss',
        'EntropyTemperature',
        'FCFDLoss',
        'FGDLoss',
        'FitNetLoss',
        'InstanceTemperature',
        'JSDLoss',
        'KDLoss',
        'LDLoss',
        'LearnedTemperature',
        'MLDLoss',
        'NormDirectionLoss',
        'OFDLoss',
        'PADLoss',
        'PKDLoss',
        'RKDLoss',
        'RKLDLoss',
        'ReviewKDLoss',
        'SKLDLoss',
        'SRKLDLoss',
        'TTMLoss',
    ),
    'mm.entropy_weighted': (
        'EntropyWeighted',
        'EntropyWeightedLogits',
        'EntropyWeightedMaps',
        'EntropyWeightedRelations',
    ),
}
MODELS: dict[str, tuple[str, ...]] = {
    **PARTS,
    'distillation': ('ProposalDistill', 'ProposalDistiller'),
    'models': ('MobileNetV2',),
}
HOOKS: dict[str, tuple[str, ...]] = {
    'evaluation': ('CocoEvalHook',),
    'hooks': ('NonFiniteLossHook', 'StopDistillationHook', 'TeacherPreflightHook'),
    'lab.analysis': ('ProposalEntropyHook', 'ProposalWeightVisualizationHook'),
    'lab.experiment': ('StartHook', 'WatchHook'),
    'resume': ('ExactResumeHook', 'SafeCheckpointHook'),
    'teachers': ('ClassCheckHook',),
}
TASK_UTILS: dict[str, tuple[str, ...]] = {'distillation': ('ProposalRecorder',)}

# Functions and classes that no config names.
CALLS: dict[str, tuple[str, ...]] = {'export': ('Detector', 'OnnxDetector'), 'onecall': ('distill',)}

# These need OpenMMLab's packages.
OPENMMLAB_ROOMS = (
    'checkpoint',
    'cli',
    'datasets',
    'distillation',
    'evaluation',
    'export',
    'hooks',
    'inspection',
    'lab',
    'models',
    'onecall',
    'registry',
    'resume',
    'sites',
    'teachers',
    'visualization',
    'zoo',
)
ROOM_OF = {
    name: room for table in (MODELS, HOOKS, TASK_UTILS, CALLS) for room, names in table.items() for name in names
}
PART_ROOM_OF = {name: room for room, names in PARTS.items() for name in names}
